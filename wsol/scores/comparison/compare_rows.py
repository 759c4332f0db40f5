"""Two rows compared in one metric, from the per-image arrays of their seeds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from wsol.errors import UserError, suggest
from wsol.scores.comparison.comparison import LEVEL, Comparison
from wsol.scores.comparison.mcnemar import mcnemar, mcnemar_interval
from wsol.scores.comparison.paired_resampling import Images, PairedReplicates, paired_replicates
from wsol.scores.comparison.scored_row import ScoredRow, Shared, shared
from wsol.scores.comparison.seed_curves import SeedCurves, seed_curves
from wsol.scores.metrics import metrics_of
from wsol.scores.metrics.metric import Metric
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol, ThresholdPolicy
from wsol.scores.resampling.weights import RESAMPLES


def compare_rows(
    row: ScoredRow,
    other: ScoredRow,
    protocol: Protocol,
    key: str,
    policy: ThresholdPolicy | None = None,
    resamples: int = RESAMPLES,
) -> Comparison:
    """The metric ``key`` of ``row`` less that of ``other``, means over their seeds, in points.

    Images are drawn with replacement for both rows and all seeds at once, those of val too where the
    policy is val, and every resample chooses its thresholds again; what choosing gains or costs a row is
    taken off. p inverts the interval: it is below 0.05 where the 95 % interval leaves 0 out. The null
    hypothesis is that both rows, these very checkpoints, are equally good at their population's best
    thresholds. Where nothing is chosen, and each row is one seed that is right or wrong on each image, p
    is McNemar's exact one instead. ``policy`` is the protocol's own where None.

    ``benchmarks/paired_test_coverage.py`` simulates how often it errs.

    Raises:
        UserError: the rows have no images in common, were not scored under ``protocol``, or do not have
            what the metric and the policy need; an unknown key.
    """
    policy = policy or protocol.policy
    metrics = metrics_of(protocol)
    parts = _parts(metrics, key, policy)
    _check(row, other, protocol)
    scored = shared(row.seeds, other.seeds, "the scored split")
    val = _val(row, other) if policy.name == "val" else None
    curves = partial(_curves, metrics, parts, protocol, policy)
    of_row = curves(scored.row, val.row if val else ())
    of_other = curves(scored.other, val.other if val else ())
    chosen = any(one.chooser is not None for one in (*of_row, *of_other))
    if scored.alike and (val is None or val.alike):
        return Comparison(0.0, 0.0, 0.0, 1.0, len(scored), 0.0 if chosen else None)
    drawn = paired_replicates(
        of_row,
        of_other,
        Images(len(scored), scored.groups),
        Images(len(val), val.groups) if val and chosen else Images(0),
        resamples,
        metrics[key].specification.unit == "percent",
    )
    if len(of_row) == len(of_other) == 1 and not chosen and scored.groups is None:
        pairs = _right_or_wrong(metrics[key], scored, policy)
        if pairs is not None:
            return _exact(*pairs, drawn)
    return _resampled(key, drawn, len(scored))


def _curves(
    metrics: dict[str, Metric],
    parts: Sequence[str],
    protocol: Protocol,
    policy: ThresholdPolicy,
    seeds: Sequence[PerImage],
    val: Sequence[PerImage],
) -> list[SeedCurves]:
    """Those of every seed and part; ``val`` is empty, or one for each seed."""
    return [
        seed_curves(metrics, part, seed, protocol, policy, on_val)
        for part in parts
        for seed, on_val in zip(seeds, val or [None] * len(seeds), strict=True)
    ]


def _parts(metrics: dict[str, Metric], key: str, policy: ThresholdPolicy) -> Sequence[str]:
    if key not in metrics:
        raise UserError(f"unknown metric {key!r}{suggest(key, metrics)}")
    specification = metrics[key].specification
    if policy.name not in specification.policies:
        raise UserError(
            f"{key} is not computed under the threshold policy {policy.name}: "
            f"choose {' or '.join(specification.policies)}"
        )
    return specification.mean_of or (key,)


def _check(row: ScoredRow, other: ScoredRow, protocol: Protocol) -> None:
    for per_image in (*row.seeds, *row.val, *other.seeds, *other.val):
        try:
            per_image.check(protocol)
        except ValueError as error:
            raise UserError(str(error)) from error


def _val(row: ScoredRow, other: ScoredRow) -> Shared:
    for one in (row, other):
        if len(one.val) != len(one.seeds):
            raise UserError(
                f"the threshold policy val needs the arrays of val of every seed: {len(one.val)} given "
                f"for {len(one.seeds)} seeds"
            )
    return shared(row.val, other.val, "val")


def _right_or_wrong(
    metric: Metric, scored: Shared, policy: ThresholdPolicy
) -> tuple[np.ndarray, np.ndarray] | None:
    """Whether each of the images that count is right, (n,) for either row; None of other metrics."""
    threshold = policy.value or 0.0
    mine, theirs = (metric.image_scores(one, threshold) for one in (scored.row[0], scored.other[0]))
    if mine is None or theirs is None:
        return None
    both = ~np.isnan(mine) & ~np.isnan(theirs)
    pairs = mine[both], theirs[both]
    return pairs if np.isin(pairs, (0, 1)).all() and both.any() else None


def _exact(row: np.ndarray, other: np.ndarray, drawn: PairedReplicates) -> Comparison:
    only_row, only_other = int((row > other).sum()), int((row < other).sum())
    low, high = mcnemar_interval(only_row, only_other, len(row), LEVEL)
    wide_low, wide_high = drawn.interval() or (low, high)
    # The wider one, as long as it says of 0 what the exact test does.
    low = min(low, wide_low) if low <= 0 or wide_low > 0 else low
    high = max(high, wide_high) if high >= 0 or wide_high < 0 else high
    p_value = mcnemar(only_row, only_other)
    return Comparison(drawn.difference, low, high, p_value, len(row), exact=True)


def _resampled(key: str, drawn: PairedReplicates, n: int) -> Comparison:
    bounds = drawn.interval()
    if bounds is None:
        raise UserError(f"{key} is undefined on the images that the rows have in common")
    return Comparison(drawn.difference, *bounds, drawn.p_value, n, optimism=drawn.replicates.optimism)
