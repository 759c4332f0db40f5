"""Metrics on resamples of the images: at the threshold each resample chooses, and at the kept one.

Every metric is computed from the same resamples, so that metrics of one run stay comparable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve
from wsol.scores.resampling.weights import RESAMPLES, resample_weights
from wsol.scores.threshold_families import MetricFamily, MetricReading


@dataclass
class Replicates:
    """A metric on B resamples, in percent; NaN where a resample leaves it undefined.

    ``anew`` (B,): its threshold chosen anew in each; ``kept`` (B,): at the threshold chosen on all
    images; ``flattered`` (B,): the former less what that resample's threshold gives on all images, None
    where no threshold was chosen. ``images``: how many independent draws the metric is over: images, or
    groups of them.
    """

    anew: np.ndarray
    kept: np.ndarray
    flattered: np.ndarray | None = None
    images: int = 0

    @property
    def optimism(self) -> float | None:
        """By how much choosing the threshold on the scored images flatters the metric, in points."""
        return None if self.flattered is None else _known_mean(self.flattered)


def replicate(
    families: Sequence[MetricFamily],
    n: int,
    resamples: int = RESAMPLES,
    groups: np.ndarray | None = None,
) -> dict[str, Replicates]:
    """All metrics of the families on the same resamples of the ``n`` images, or of their ``groups``."""
    everyone = np.ones((1, n), np.float32)
    whole = [family(everyone) for family in families]
    curves = {key: curve for family in families for key, curve in family.curves.items()}
    drawn: dict[str, list[Replicates]] = {}
    for weights in resample_weights(n, resamples, groups=groups):
        for family, reads in zip(families, whole, strict=True):
            for key, read in family(weights).items():
                drawn.setdefault(key, []).append(_compare(read, reads[key]))
    return {key: join(blocks, _draws(curves[key], n, groups)) for key, blocks in drawn.items()}


def mean_of(replicates: Sequence[Replicates]) -> Replicates:
    """The replicates of the mean of several metrics whose thresholds are chosen one by one."""
    flattered = [each.flattered for each in replicates if each.flattered is not None]
    return Replicates(
        np.mean([each.anew for each in replicates], axis=0),
        np.mean([each.kept for each in replicates], axis=0),
        np.mean(flattered, axis=0) if flattered else None,
        min(each.images for each in replicates),
    )


def _compare(read: MetricReading, whole: MetricReading) -> Replicates:
    if read.chosen is None or whole.chosen is None:
        return Replicates(read.values, read.values)
    kept = read.curve[:, whole.chosen[0]]
    return Replicates(read.values, kept, read.values - whole.curve[0, read.chosen])


def _draws(curve: Curve, n: int, groups: np.ndarray | None) -> int:
    """How many independent draws a curve over some of the ``n`` images is over."""
    if groups is None:
        return n if curve.images is None else curve.images
    return len(np.unique(groups if curve.covered is None else groups[curve.covered]))


def join(blocks: Sequence[Replicates], images: int) -> Replicates:
    """Blocks of replicates, one after the other, of a metric over so many images."""
    flattered = [block.flattered for block in blocks if block.flattered is not None]
    return Replicates(
        np.concatenate([block.anew for block in blocks]),
        np.concatenate([block.kept for block in blocks]),
        np.concatenate(flattered) if flattered else None,
        images,
    )


def _known_mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
