"""The test between two rows: images are resampled for both at once, and thresholds chosen again.

Both rows stumble over the same hard images, so that two intervals that overlap do not answer whether
they differ; and a row whose accuracy is flat over thresholds gains more by choosing the best of them
than one with a single peak, so that neither does the difference at the thresholds that were chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.comparison.comparison import LEVEL
from wsol.scores.comparison.seed_curves import SeedCurves
from wsol.scores.resampling.interval import interval
from wsol.scores.resampling.replicates import Replicates, join, mean_of
from wsol.scores.resampling.score_bounds import difference_bounds
from wsol.scores.resampling.weights import BLOCK_BYTES, SEED, resample_weights

# Halvings of the range in which p lies.
HALVINGS = 40


@dataclass(frozen=True)
class Images:
    """How many are drawn, and which of them together: ``groups`` (n,), or None for none."""

    n: int
    groups: np.ndarray | None = None


@dataclass(frozen=True)
class PairedReplicates:
    """A difference of two rows in points, and its replicates from the same resamples of the images.

    ``units``: how many images, or groups of them, were drawn. ``percent``: both rows are percentages.
    """

    difference: float
    replicates: Replicates
    units: int
    percent: bool = True

    def interval(self, level: float = LEVEL) -> tuple[float, float] | None:
        """The interval of `wsol.scores.resampling.interval.interval`; None where it is undefined."""
        limits = (-100.0, 100.0) if self.percent else (-np.inf, np.inf)
        images = min(self.units, self.replicates.images) if self.percent else 0
        return interval(self.difference, self.replicates, images, level, limits, difference_bounds)

    @property
    def p_value(self) -> float:
        """The smallest alpha whose interval of level 1 - alpha leaves 0 out; NaN where it is undefined.

        1 where none does. It is never below 1 / (resamples + 1), which is what so many can tell.
        """
        if self.interval() is None:
            return float("nan")
        lower, upper = 1 / (len(self.replicates.anew) + 1), 1.0
        if not self._refuted(upper):
            return 1.0
        if self._refuted(lower):
            return lower
        for _ in range(HALVINGS):
            middle = (lower + upper) / 2
            lower, upper = (lower, middle) if self._refuted(middle) else (middle, upper)
        return upper

    def _refuted(self, alpha: float) -> bool:
        low, high = self.interval(1 - alpha) or (0.0, 0.0)
        return low > 0 or high < 0


def paired_replicates(
    row: Sequence[SeedCurves],
    other: Sequence[SeedCurves],
    images: Images,
    val: Images,
    resamples: int,
    percent: bool = True,
) -> PairedReplicates:
    """The difference of the means of two rows' curves, over seeds and parts, on joint resamples.

    ``images`` are the scored ones; ``val``, with none where no threshold is chosen there, are drawn
    beside them.
    """
    both = [*row, *other]
    wholes = [curves.whole(images.n, val.n) for curves in both]
    values = [whole.value for whole in wholes]
    rows = max(1, BLOCK_BYTES // (4 * max(images.n, val.n, 1)))
    scored = resample_weights(images.n, resamples, SEED, rows * 4 * images.n, images.groups)
    chosen_on = resample_weights(val.n, resamples, SEED + 1, rows * 4 * max(val.n, 1), val.groups)
    blocks: list[Replicates] = []
    for weights, val_weights in zip(scored, chosen_on, strict=True):
        drawn = [
            curves.replicates(weights, val_weights, whole)
            for curves, whole in zip(both, wholes, strict=True)
        ]
        blocks.append(_less(mean_of(drawn[: len(row)]), mean_of(drawn[len(row) :])))
    difference = float(np.mean(values[: len(row)]) - np.mean(values[len(row) :]))
    units = images.n if images.groups is None else len(np.unique(images.groups))
    return PairedReplicates(difference, join(blocks, blocks[0].images), units, percent)


def _less(row: Replicates, other: Replicates) -> Replicates:
    flattered = None
    if row.flattered is not None and other.flattered is not None:
        flattered = row.flattered - other.flattered
    anew, kept = row.anew - other.anew, row.kept - other.kept
    return Replicates(anew, kept, flattered, min(row.images, other.images))
