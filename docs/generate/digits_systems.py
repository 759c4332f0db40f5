"""The systems on digits: every row, and what a method around a network changes of that network."""

from __future__ import annotations

from pathlib import Path

from digits_rows import CAM, DigitsRows, images_of
from digits_tables import OF_ALL, SIGNS, every_row, head_of
from digits_verdicts import Judged, Tests
from markdown_table import table, table_of

from wsol.pipeline.digits_recipes import controls_of

COSTS = Path("benchmarks", "results", "systems_cost.csv")

HEAD = """## Systems

Networks of their own at a small width, and methods around a module (`configs/systems`), at CAM's budget;
read by their class maps, DVAN and LTPA by their attention.
"""

CHANGES = """### What a method changes

The difference from the same network without the method, and from its control: DREAL under a critic
whose rewards are dealt by lot, dasNet with gains drawn at random as often. In brackets the 95 % interval
of the paired test over images and all seeds. ↑ better, ↓ worse: as above, Holm's correction over the
tests of one line. *otherwise*: the two classify otherwise, so their maps are not compared.
"""

# What a method is compared with: the network without it, and its control (`controls`).
AGAINST = {
    "DREAL": ("the module alone", "the same critic with shuffled rewards"),
    "dasNet": ("CAM", "gains drawn at random"),
}


def systems(root: Path, rows: DigitsRows, tests: Tests) -> list[str]:
    """The parts of the page; nothing where no system has a row."""
    if not rows.systems:
        return []
    pairs = [(name, against) for name in rows.systems for against in controls(name)]
    found = [(*pair, _cells(rows, tests, *pair)) for pair in pairs]
    lines = [[name, f"*{against}*", *cells] for name, against, cells in found if any(cells)]
    parts = [HEAD, every_row(rows, tests, rows.systems, "system")]
    if lines:
        parts += [CHANGES, table(["row", "against", *map(head_of, OF_ALL)], lines, left=2)]
        parts += [in_words(rows, tests)]
    if (root / COSTS).exists():
        (command, *told), shown = table_of(root / COSTS, left=1)
        notes = [f"- `{command}`", *(f"- {line}" for line in told)]
        parts += ["### What they cost", "", *notes, "", shown]
    return parts


def in_words(rows: DigitsRows, tests: Tests) -> str:
    """Each method against each of its controls: where it is better, where worse, over all its rows."""
    told = []
    for method, words in AGAINST.items():
        own = [name for name in rows.systems if method.lower() in name and len(controls(name)) == 2]
        for at, control in enumerate(words):
            verdicts: dict[str, list[str]] = {}
            for name in own:
                row = name.partition(",")[0]
                for one in tests.judged(rows, name, OF_ALL, controls(name)[at]):
                    if one.test is not None:
                        verdicts.setdefault(one.verdict, []).append(f"{row} on {one.figure.test}")
            if n := sum(map(len, verdicts.values())):
                counts = [_counted(verdicts, verdict) for verdict in ("better", "worse")]
                if verdicts.keys() - {"better", "worse"}:
                    counts.append("in the others it cannot be told or the seeds disagree")
                comparisons = f"{n} comparison{'s' * (n > 1)}"
                told.append(f"- {method} against {control}: {comparisons}, {', '.join(counts)}.")
    return "\n".join(told) + "\n" if told else ""


def _counted(verdicts: dict[str, list[str]], verdict: str) -> str:
    there = verdicts.get(verdict, [])
    return f"{verdict} in {len(there)} ({', '.join(there)})" if there else f"{verdict} in none"


def controls(name: str) -> tuple[str, ...]:
    """The rows that ``name`` is compared with: the same network without the method, then its control.

    A control itself has the first alone, or none.
    """
    alone = (CAM,) if name == "dasnet" else ()  # DREAL's names its module itself
    return (*alone, *controls_of(name))


def _cells(rows: DigitsRows, tests: Tests, name: str, against: str) -> list[str]:
    judged = tests.judged(rows, name, OF_ALL, against)
    return [_cell(rows, name, against, one) for one in judged]


def _cell(rows: DigitsRows, name: str, against: str, judged: Judged) -> str:
    test, images = judged.test, images_of(judged.figure)
    if test is not None:
        shown = f"{test.difference:+.1f} [{test.low:+.1f}, {test.high:+.1f}]"
        return shown + SIGNS.get(judged.verdict, "")
    there = [rows.value(images, judged.figure.key, row) is not None for row in (name, against)]
    alike = rows.comparable(judged.figure, name, against)
    return "*otherwise*" if all(there) and not alike else ""
