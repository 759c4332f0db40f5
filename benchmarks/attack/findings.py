"""What an attack finds: each finding one line with the command that repeats it, and the table of all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from benchmarks.attack.command import Outcome

KINDS = ("tracebacks", "wrong figures", "leftovers", "hangs", "no words")
TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True)
class Finding:
    """Something that must not be: of which kind, in which case, what."""

    attack: str
    case: str
    kind: str
    text: str
    seed: int

    def __str__(self) -> str:
        repeat = (
            f'python -m benchmarks.attack --only {self.attack} --seed {self.seed} --case "{self.case}"'
        )
        return f"{self.attack}, {self.case}: {self.kind}: {' '.join(self.text.split())[:300]} | {repeat}"


@dataclass
class Tally:
    """The cases of one attack and what was found in them.

    Attributes:
        attack: its name.
        seed: of what is drawn.
        wanted: only cases whose names contain this.
    """

    attack: str
    seed: int
    wanted: str = ""
    cases: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def takes(self, case: str) -> bool:
        """Whether the case is wanted; what is found from now on is found in it."""
        if self.wanted not in case:
            return False
        self.cases.append(case)
        return True

    def found(self, kind: str, text: str) -> None:
        """A finding in the case that runs."""
        assert kind in KINDS
        finding = Finding(self.attack, self.cases[-1], kind, text, self.seed)
        self.findings.append(finding)
        print(finding, flush=True)

    @property
    def clean(self) -> bool:
        """Whether nothing was found in the case that runs."""
        return not self.findings or self.findings[-1].case != self.cases[-1]

    def judge(self, outcome: Outcome, codes: tuple[int, ...] = (0, 2), name: str = "") -> bool:
        """Whether a command ended as it may: done, or 2 and a line (that has ``name`` in it)."""
        what = f"wsol {' '.join(outcome.argv)}"
        if outcome.hung:
            self.found("hangs", f"{what}: {outcome.last_line}")
        elif TRACEBACK in outcome.errors + outcome.output:
            self.found("tracebacks", f"{what}: {outcome.last_line}")
        elif outcome.code not in codes:
            kind = "no words" if outcome.code == 2 else "tracebacks"
            self.found(kind, f"{what}: exit code {outcome.code}: {outcome.last_line}")
        elif outcome.code == 2 and "wsol: " not in outcome.errors:
            self.found("no words", f"{what}: exit code 2 without a line: {outcome.last_line}")
        elif name and name not in outcome.errors:
            self.found("no words", f"{what}: {name} is not named: {outcome.last_line}")
        else:
            return True
        return False

    def row(self) -> list[str]:
        """Its line of the table."""
        counts = Counter(finding.kind for finding in self.findings)
        return [self.attack, str(len(self.cases)), *(str(counts[kind]) for kind in KINDS)]


def table(tallies: list[Tally]) -> str:
    """The table: an attack a line."""
    rows = [["attack", "cases", *KINDS], *(tally.row() for tally in tallies)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *cells[1:]]))
    return "\n".join(lines)
