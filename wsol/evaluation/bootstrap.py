"""95 % bootstrap intervals over images, and how far choosing a threshold on them flatters them.

Images are drawn with replacement, as counts; every metric is computed from the same resamples, so
that metrics of one run stay comparable. See `interval` for the correction; its coverage is simulated
by ``benchmarks/interval_coverage.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from wsol.evaluation.score_bounds import score_bounds
from wsol.scores.curves import Curve
from wsol.scores.groups import group_numbers
from wsol.scores.threshold_families import MetricFamily, MetricReading

RESAMPLES = 2000
SEED = 0
LEVEL = 0.95
BLOCK_BYTES = 8 * 2**20
# From here on 95 % intervals covered at least 93 % of the time in every simulated population.
ENOUGH_IMAGES = 30


def few_images(n: int) -> str:
    """What to say of intervals over ``n`` images; nothing where they are enough."""
    if n >= ENOUGH_IMAGES:
        return ""
    return f"note: {n} images are few: 95 % intervals over under {ENOUGH_IMAGES} are rough"


def resample_weights(
    n: int,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    block_bytes: int = BLOCK_BYTES,
    groups: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """How often each of ``n`` images was drawn, in blocks (b, n) float32 of ``resamples`` rows in all.

    The same numbers whatever the block size. Where ``groups`` (n,) names what is drawn together, such as
    the queries of one image, groups are drawn, and each of their members as often as its group.
    """
    members = None if groups is None else group_numbers(groups)
    draws = n if members is None else int(members.max(initial=-1)) + 1
    generator = np.random.default_rng(seed)
    rows = max(1, block_bytes // (4 * max(n, 1)))
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        weights = np.empty((count, n), np.float32)
        for row in range(count):
            drawn = generator.integers(0, draws, draws, dtype=np.int32)
            counts = np.bincount(drawn, minlength=draws)
            weights[row] = counts if members is None else counts[members]
        yield weights


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
    return {key: _join(blocks, _draws(curves[key], n, groups)) for key, blocks in drawn.items()}


def mean_of(replicates: Sequence[Replicates]) -> Replicates:
    """The replicates of the mean of several metrics whose thresholds are chosen one by one."""
    flattered = [each.flattered for each in replicates if each.flattered is not None]
    return Replicates(
        np.mean([each.anew for each in replicates], axis=0),
        np.mean([each.kept for each in replicates], axis=0),
        np.mean(flattered, axis=0) if flattered else None,
        min(each.images for each in replicates),
    )


def interval(
    value: float,
    replicates: Replicates,
    images: int = 0,
    level: float = LEVEL,
    limits: tuple[float, float] = (0.0, 100.0),
) -> tuple[float, float] | None:
    """The interval around a metric's ``value``, kept within ``limits``; None if undefined.

    ``images``: how many the metric is over, where it is a percentage. It then reaches as far as
    `score_bounds` do, which are wider at the edges, where replicates do not spread, and of few images.

    Where no threshold was chosen the rest is the plain percentiles. Where one was, the value is a
    maximum and follows the luck of the sample, and percentiles of re-chosen maxima follow it twice:
    they covered 28 to 91 % of the time in simulations. Two mends:

    - Both bounds are moved down by what choosing flatters, of which there are two estimates. The
      optimism (Efron, 1983) is the mean over resamples of what the resample's threshold gives there,
      less what it gives on all images: with one good range of thresholds it meets the true bias, with
      two of which one is somewhat better it is several times too large. How far the maxima of resamples
      lie above the value is about 60 % of the bias with one range, and nearer to it with two. The lower
      bound takes the larger and the upper bound the smaller of them.
    - A maximum's replicates spread less than the maximum itself, since each may take the best of
      several thresholds; at the kept threshold they spread as they should. A metric that only
      follows the choice (P, top-1 localization) also varies as the threshold does, which only re-chosen
      replicates see. On either side the larger of the two distances is taken.

    The target is the metric at the population's best threshold. The value itself is never left out, as
    it would be at the ceiling, where nothing spreads and the optimism still counts.
    """
    known = ~np.isnan(replicates.anew) & ~np.isnan(replicates.kept)
    if np.isnan(value) or not known.any():
        return None
    anew, kept = replicates.anew[known], replicates.kept[known]
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(kept, tails)
    if images:
        edge_low, edge_high = score_bounds(value, kept, images, level)
        low, high = min(low, edge_low), max(high, edge_high)
    if replicates.optimism is not None:
        again_low, again_high = np.quantile(anew, tails) - anew.mean() + value
        flattery = replicates.optimism, anew.mean() - value
        low = min(low, again_low) - max(flattery)
        high = max(high, again_high) - min(flattery)
    low, high = min(low, value), max(high, value)
    return float(np.clip(low, *limits)), float(np.clip(high, *limits))


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


def _join(blocks: Sequence[Replicates], images: int) -> Replicates:
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
