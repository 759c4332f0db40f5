"""All metrics of a split from its per-image arrays, with intervals; no second look at the maps.

`wsol.scores.metrics` says what each key is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from wsol.errors import UserError, suggest
from wsol.scores.metrics import metrics_of
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol, ThresholdPolicy
from wsol.scores.resampling.interval import interval
from wsol.scores.resampling.replicates import Replicates, mean_of, replicate
from wsol.scores.resampling.weights import RESAMPLES
from wsol.scores.threshold_families import MetricFamily, families_of

# Between which a metric's values lie, by its unit; those of other units may be any numbers.
LIMITS = {"percent": (0.0, 100.0), "ratio": (0.0, np.inf)}

CHOSEN_ON = {"oracle": "the scored images", "val": "val", "fixed": "given"}


@dataclass(frozen=True)
class Scores:
    """Metrics of a split: see `RunRecord` for its parts."""

    metrics: dict[str, dict[str, float | None]]
    optimism: dict[str, float | None] = field(default_factory=dict)
    threshold: dict[str, Any] = field(default_factory=dict)
    specifications: dict[str, MetricSpecification] = field(default_factory=dict)

    def __getitem__(self, key: str) -> float | None:
        return self.metrics[key]["value"]


class MetricEstimate(NamedTuple):
    """A metric's value and 95 % interval in its unit, and the threshold in [0, 1) it was read at.

    None where it cannot be computed, has no interval, has no threshold.
    """

    value: float | None
    low: float | None
    high: float | None
    threshold: float | None


def metric_keys(protocol: Protocol) -> list[str]:
    """Every key that an evaluation under the protocol reports, in the order of the columns.

    Those of readings are reported besides, where the data set allows them.
    """
    return [key for key, each in metrics_of(protocol).items() if not each.specification.of_reading]


def evaluate_metric(
    per_image: PerImage,
    protocol: Protocol,
    key: str,
    policy: ThresholdPolicy | None = None,
    resamples: int = RESAMPLES,
) -> MetricEstimate:
    """One metric alone, ``max_box_acc@0.5``; ``UserError`` for a key that the protocol lacks.

    See `compute` for ``policy`` and ``resamples``; for the policy val call that.
    """
    scores = compute(per_image, protocol, policy, resamples=resamples, keys=[key])
    return MetricEstimate(**scores.metrics[key], threshold=scores.threshold["values"].get(key))


def compute(
    per_image: PerImage,
    protocol: Protocol,
    policy: ThresholdPolicy | None = None,
    val: PerImage | Mapping[str, float] | None = None,
    resamples: int = RESAMPLES,
    keys: Sequence[str] = (),
) -> Scores:
    """Metrics of ``per_image``, percent, with 95 % intervals from so many ``resamples``, if any.

    ``policy`` is the protocol's own where None. Under ``val`` the thresholds are chosen on the arrays
    ``val``, or were, where it is their values by key, and count as given: the intervals are over the
    images of ``per_image`` alone. ``keys`` are the metrics wanted; none takes all, those of readings as
    far as they are there. Only what they need is computed.
    ``UserError`` where ``val`` is asked for without arrays, or they have nothing to choose on.
    """
    policy = policy or protocol.policy
    per_image.check(protocol)
    metrics = metrics_of(protocol)
    wanted = _wanted(metrics, keys) or [
        key
        for key, metric in metrics.items()
        if not metric.specification.of_reading or metric.measurable(per_image, protocol)
    ]
    read = [
        key for key in _with_parts(metrics, wanted) if policy.name in metrics[key].specification.policies
    ]
    given = _given(metrics, read, protocol, policy, val)
    families = families_of(metrics, read, per_image, protocol, policy, given)
    values, thresholds = _values(families, len(per_image))
    n = len(per_image)
    draws = replicate(families, n, resamples, per_image.groups) if resamples and n else {}
    for key in wanted:
        _add_mean(metrics[key].specification, values, draws)
    shown = [*wanted, *sorted(key for key in values if _of_class(key, wanted))]
    return Scores(
        metrics={
            key: _entry(values.get(key), draws.get(key), metrics[key.partition(":")[0]]) for key in shown
        },
        # What holds for a mean over classes holds for its parts: it is said once.
        optimism=_optimism({key: draws[key] for key in wanted if key in draws}),
        threshold={
            "policy": str(policy),
            "chosen_on": CHOSEN_ON[policy.name],
            "values": {
                key: thresholds[key] for key in wanted if key in thresholds and not np.isnan(values[key])
            },
        },
        specifications={key: metrics[key].specification for key in wanted},
    )


def _wanted(metrics: Mapping[str, Metric], keys: Sequence[str]) -> list[str]:
    for key in keys:
        if key not in metrics:
            raise UserError(f"unknown metric {key!r}{suggest(key, metrics)}")
    return list(dict.fromkeys(keys))


def _with_parts(metrics: Mapping[str, Metric], keys: Sequence[str]) -> list[str]:
    """The keys and those of which they are the mean, in the order of the metrics."""
    parts = {part for key in keys for part in metrics[key].specification.mean_of}
    return [key for key in metrics if key in parts or key in keys]


def _given(
    metrics: Mapping[str, Metric],
    keys: Sequence[str],
    protocol: Protocol,
    policy: ThresholdPolicy,
    val: PerImage | Mapping[str, float] | None,
) -> dict[str, float]:
    """The thresholds that are not chosen on the scored images, by the key of each metric."""
    following = [key for key in keys if not metrics[key].specification.oracle]
    if policy.name == "fixed":
        assert policy.value is not None
        return dict.fromkeys(following, policy.value)
    if policy.name == "oracle":
        return {}
    if isinstance(val, Mapping):
        # What has no threshold had no value at any: it has none at 0 either.
        return dict.fromkeys(following, 0.0) | dict(val)
    if val is None or not len(val) or not (val.has("boxes") or val.has("masks")):
        raise UserError(
            "the threshold policy val needs a val split with boxes or masks, and there is none: "
            "prepare one, or choose oracle or fixed:0.2"
        )
    val.check(protocol)
    choosers = families_of(metrics, following, val, protocol, ThresholdPolicy("oracle"), {})
    return _values(choosers, len(val))[1]


def _values(families: Sequence[MetricFamily], n: int) -> tuple[dict[str, float], dict[str, float]]:
    """Every metric's value and, where it has one, its threshold."""
    everyone = np.ones((1, n), np.float32)
    values: dict[str, float] = {}
    thresholds: dict[str, float] = {}
    for family in families:
        for key, read in family(everyone).items():
            values[key] = float(read.values[0])
            if len(family.thresholds):
                place = 0 if read.chosen is None else int(read.chosen[0])
                thresholds[key] = float(family.thresholds[place])
    return values, thresholds


def _add_mean(
    specification: MetricSpecification, values: dict[str, float], draws: dict[str, Replicates]
) -> None:
    """The metric that is the mean of others, each at a threshold of its own, from theirs."""
    parts = [key for key in specification.mean_of if key in values]
    if parts:
        values[specification.key] = float(np.mean([values[key] for key in parts]))
    if parts and draws:
        draws[specification.key] = mean_of([draws[key] for key in parts])


def _entry(value: float | None, draws: Replicates | None, metric: Metric) -> dict[str, float | None]:
    bounds = None
    if value is not None and draws is not None:
        unit = metric.specification.unit
        images = draws.images if unit == "percent" else 0
        bounds = interval(value, draws, images, limits=LIMITS.get(unit, (-np.inf, np.inf)))
    low, high = bounds or (None, None)
    return {"value": _known(value), "low": low, "high": high}


def _optimism(draws: Mapping[str, Replicates]) -> dict[str, float | None]:
    return {key: draw.optimism for key, draw in draws.items() if draw.flattered is not None}


def _of_class(key: str, wanted: Sequence[str]) -> bool:
    metric, colon, _ = key.partition(":")
    return bool(colon) and metric in wanted


def _known(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else value
