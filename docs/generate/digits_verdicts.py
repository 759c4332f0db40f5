"""results/digits-tests.csv -> what the paired tests say of each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from digits_rows import CAM, DigitsRows, images_of

from wsol.files.csv_table import table_rows
from wsol.pipeline.diagnosis.figures import PRIMARY, Figure
from wsol.scores.comparison.comparison import SIGNIFICANCE
from wsol.scores.comparison.holm import holm

TESTS = Path("results", "digits-tests.csv")

Verdict = Literal[
    "better", "worse", "seeds disagree", "cannot be told", "not compared", "not scored"
]  # fmt: skip


@dataclass(frozen=True)
class PairedTest:
    """One comparison: the difference in points, its interval, p, and the difference of each seed."""

    difference: float
    low: float
    high: float
    p_value: float
    by_seed: tuple[float, ...]

    @property
    def agreed(self) -> bool:
        """Whether every seed says which row is better, and the same one."""
        return all(one > 0 for one in self.by_seed) or all(one < 0 for one in self.by_seed)


@dataclass(frozen=True)
class Judged:
    """A row on one test: the comparison with another, p after Holm's correction, and the verdict."""

    figure: Figure
    test: PairedTest | None
    p_value: float | None
    verdict: Verdict


class Tests:
    """All comparisons of the file."""

    def __init__(self, root: Path) -> None:
        self._found: dict[tuple[str, ...], PairedTest] = {}
        if not (root / TESTS).exists():
            return
        lines = (root / TESTS).read_text("utf-8").splitlines()
        (_, columns), *rows = table_rows(lines[1:])
        for _, cells in rows:
            line = dict(zip(columns, cells, strict=True))
            key = "images", "metric", "attention", "maps", "precision", "against"
            self._found[tuple(line[part] for part in key)] = PairedTest(
                float(line["difference"]),
                float(line["low"]),
                float(line["high"]),
                float(line["p"]),
                tuple(map(float, line["by_seed"].split())),
            )

    def one(
        self, rows: DigitsRows, figure: Figure, attention: str, against: str = CAM
    ) -> PairedTest | None:
        """The comparison of a row with another one of its precision; None where there is none."""
        images = images_of(figure)
        own = attention, rows.maps_of(attention), rows.precision(images, attention)
        return self._found.get((images, figure.key, *own, against))

    def judged(
        self,
        rows: DigitsRows,
        attention: str,
        family: Sequence[Figure] = PRIMARY,
        against: str = CAM,
    ) -> list[Judged]:
        """A row on every test, Holm's correction over those on which it can be compared."""
        tests = [
            self.one(rows, figure, attention, against)
            if rows.comparable(figure, attention, against)
            else None
            for figure in family
        ]
        adjusted = iter(holm([test.p_value for test in tests if test is not None]))
        found = []
        for figure, test in zip(family, tests, strict=True):
            p_value = None if test is None else next(adjusted)
            scored = rows.value(images_of(figure), figure.key, attention) is not None
            verdict = _verdict(figure, test, p_value) if scored else "not scored"
            found.append(Judged(figure, test, p_value, verdict))
        return found


def _verdict(figure: Figure, test: PairedTest | None, p_value: float | None) -> Verdict:
    if test is None or p_value is None:
        return "not compared"
    if p_value >= SIGNIFICANCE:
        return "cannot be told"
    if not test.agreed:
        return "seeds disagree"
    return "better" if (test.difference > 0) == (figure.better == "high") else "worse"
