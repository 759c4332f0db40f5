"""The profile of a module: each test's figures by row, and its comparison with CAM and the control."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from wsol.board.comparison.image_scores import read_arrays
from wsol.board.runs.reading import StoredRun
from wsol.pipeline.diagnosis.figures import Figure
from wsol.scores.comparison.compare_rows import compare_rows
from wsol.scores.comparison.comparison import SIGNIFICANCE, Comparison
from wsol.scores.comparison.holm import holm
from wsol.scores.comparison.scored_row import ScoredRow
from wsol.scores.protocol import Protocol, ThresholdPolicy

Verdict = Literal["mends", "worsens", "cannot be told", "not compared"]

# Maps of rows that classify differently are maps of different things.
TRAINED, MATCHED = 95.0, 1.0


@dataclass(frozen=True)
class RowFigure:
    """A row's figure on one test by seed, and its 95 % interval over images where there is one seed.

    NaN where it cannot be computed. ``top1`` is the row's accuracy on the own test of its training set,
    mean over the seeds.
    """

    seeds: tuple[float, ...]
    low: float | None
    high: float | None
    top1: float

    @property
    def value(self) -> float:
        """The mean over the seeds."""
        return float(np.mean(self.seeds))


@dataclass(frozen=True)
class TestProfile:
    """One test: the figures by row, and how the module compares.

    ``p_value`` is Holm's, over the family of the tests; ``against_control`` is descriptive, None where
    there is no control.
    """

    figure: Figure
    rows: dict[str, RowFigure]
    against_cam: Comparison | None
    against_control: Comparison | None
    p_value: float | None
    verdict: Verdict

    @property
    def name(self) -> str:
        """The test's."""
        return self.figure.test


def profile(
    figures: Sequence[Figure],
    runs: Sequence[Mapping[str, Sequence[StoredRun]]],
    top1: Sequence[Mapping[str, float]],
    rows: Sequence[str],
) -> list[TestProfile]:
    """Profiles of the tests ``figures``.

    Args:
        figures: of the family.
        runs: the records of each test by row, a seed each.
        top1: by row, of each test: the accuracy on the own test of its training set.
        rows: CAM first, the module last, the control between them where there is one.
    """
    cam, module = rows[0], rows[-1]
    control = rows[1] if len(rows) > 2 else None
    found = []
    for figure, by_row, accuracy in zip(figures, runs, top1, strict=True):
        cells = {row: _row_figure(by_row[row], figure.key, accuracy[row]) for row in rows}
        comparable = module != cam and _comparable(accuracy[cam], accuracy[module])
        found.append(
            (
                cells,
                _compare(by_row[module], by_row[cam], figure.key) if comparable else None,
                _compare(by_row[module], by_row[control], figure.key)
                if comparable and control
                else None,
            )
        )
    family = [against.p_value for _, against, _ in found if against is not None]
    adjusted = iter(holm(family))
    profiles = []
    for figure, (cells, against_cam, against_control) in zip(figures, found, strict=True):
        p_value = None if against_cam is None else next(adjusted)
        verdict = _verdict(figure, against_cam, p_value)
        profiles.append(TestProfile(figure, cells, against_cam, against_control, p_value, verdict))
    return profiles


def _row_figure(runs: Sequence[StoredRun], key: str, top1: float) -> RowFigure:
    first, *more = [run.record.metrics[key] for run in runs]
    found = [entry["value"] for entry in (first, *more)]
    values = [math.nan if value is None else value for value in found]
    low, high = (None, None) if more else (first["low"], first["high"])
    return RowFigure(tuple(values), low, high, top1)


def _comparable(cam: float, module: float) -> bool:
    return min(cam, module) >= TRAINED or abs(cam - module) <= MATCHED


def _compare(mine: Sequence[StoredRun], theirs: Sequence[StoredRun], key: str) -> Comparison:
    record = mine[0].record
    protocol = Protocol.of_record(record.protocol)
    policy = ThresholdPolicy("oracle")
    return compare_rows(_arrays(mine), _arrays(theirs), protocol, key, policy)


def _arrays(runs: Sequence[StoredRun]) -> ScoredRow:
    found = [read_arrays(run) for run in runs]
    assert None not in found, "a diagnosis keeps its arrays"
    return ScoredRow([one for one in found if one is not None])


def _verdict(figure: Figure, against_cam: Comparison | None, p_value: float | None) -> Verdict:
    if against_cam is None or p_value is None:
        return "not compared"
    if p_value >= SIGNIFICANCE:
        return "cannot be told"
    better = against_cam.difference > 0
    return "mends" if better == (figure.better == "high") else "worsens"
