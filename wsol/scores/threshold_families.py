"""Which metrics share a threshold: each family is one choice of threshold and the curves read at it.

Families follow from the metrics (`Metric.chosen_by`) and from the threshold policy, which is applied
here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from wsol.errors import UserError
from wsol.scores.curves import Curve
from wsol.scores.metrics.metric import Metric
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol, ThresholdPolicy


class MetricReading(NamedTuple):
    """A metric under B weightings, in percent.

    ``values`` (B,) are its ``curve`` (B, C) at the ``chosen`` (B,) thresholds; ``chosen`` is None
    where nothing was chosen on these images.
    """

    values: np.ndarray
    curve: np.ndarray
    chosen: np.ndarray | None


@dataclass(frozen=True)
class MetricFamily:
    """Curves over the same ``thresholds`` (C,), all read where ``choice`` is highest.

    Without ``choice`` that is the first of them. Of equal thresholds the lowest is taken. Without
    ``oracle`` there is at most one threshold, and it was given.
    """

    thresholds: np.ndarray
    curves: dict[str, Curve]
    oracle: bool = True
    choice: Curve | None = None

    def __call__(self, weights: np.ndarray) -> dict[str, MetricReading]:
        """Every metric of the family under the weights (B, N)."""
        curves = {key: curve(weights) for key, curve in self.curves.items()}
        if not self.oracle:
            return {key: MetricReading(curve[:, 0], curve, None) for key, curve in curves.items()}
        chosen = best_threshold(self.choice(weights) if self.choice else next(iter(curves.values())))
        rows = np.arange(len(chosen))
        return {key: MetricReading(curve[rows, chosen], curve, chosen) for key, curve in curves.items()}


def best_threshold(curve: np.ndarray) -> np.ndarray:
    """Where each curve of (B, C) is highest, the lowest threshold of equals: places (B,)."""
    # A curve that is NaN throughout takes the first place; its value there is NaN.
    return np.argmax(np.where(np.isnan(curve), -1.0, curve), axis=1)


def families_of(
    metrics: Mapping[str, Metric],
    keys: Sequence[str],
    per_image: PerImage,
    protocol: Protocol,
    policy: ThresholdPolicy,
    given: Mapping[str, float],
) -> list[MetricFamily]:
    """The families in which the metrics ``keys`` are read, as far as they can be computed.

    A family also holds the metric that chooses its threshold, asked for or not. ``given`` are the
    thresholds that are not chosen on these images, by key: of the metric, or of the one that chooses for
    it. ``UserError`` where one is missing.
    """
    groups: dict[tuple[str | None, float | None], list[Metric]] = {}
    for metric in (metrics[key] for key in keys):
        if metric.specification.mean_of or not metric.measurable(per_image, protocol):
            continue
        chooser = metric.chosen_by(per_image)
        if chooser is not None and not _known(metrics, chooser, metric).measurable(per_image, protocol):
            continue
        here = metric.specification.oracle or policy.name == "oracle"
        threshold = None if chooser is None or here else _given(given, metric.key, chooser)
        groups.setdefault((chooser, threshold), []).append(metric)
    return [
        _without_threshold(members, per_image)
        if chooser is None
        else _chosen_here(_with_chooser(metrics, chooser, members), per_image, protocol)
        if threshold is None
        else _at_given(members, per_image, threshold)
        for (chooser, threshold), members in groups.items()
    ]


def _without_threshold(members: Sequence[Metric], per_image: PerImage) -> MetricFamily:
    none = np.zeros(0)
    return MetricFamily(none, {one.key: one.curve(per_image, none) for one in members}, oracle=False)


def _at_given(members: Sequence[Metric], per_image: PerImage, threshold: float) -> MetricFamily:
    at = members[0].at(per_image, threshold)
    return MetricFamily(at, _curves(members, per_image, at), oracle=False)


def _chosen_here(members: Sequence[Metric], per_image: PerImage, protocol: Protocol) -> MetricFamily:
    thresholds = members[0].candidates(per_image, protocol.thresholds)
    choice = members[0].choice(per_image, thresholds)
    return MetricFamily(thresholds, _curves(members, per_image, thresholds), choice=choice)


def _curves(members: Sequence[Metric], per_image: PerImage, thresholds: np.ndarray) -> dict[str, Curve]:
    curves = {one.key: one.curve(per_image, thresholds) for one in members}
    for one in members:
        curves |= one.class_curves(per_image, thresholds)
    return curves


def _with_chooser(
    metrics: Mapping[str, Metric], chooser: str, members: Sequence[Metric]
) -> list[Metric]:
    """The chooser first: the others are read where it is highest."""
    return [metrics[chooser], *(one for one in members if one.key != chooser)]


def _known(metrics: Mapping[str, Metric], chooser: str, metric: Metric) -> Metric:
    if chooser not in metrics:
        raise UserError(f"metric {metric.key} is read at the threshold of {chooser}: no such metric")
    return metrics[chooser]


def _given(given: Mapping[str, float], key: str, chooser: str) -> float:
    for name in (key, chooser):
        if name in given:
            return given[name]
    raise UserError(f"val has nothing to choose the threshold of {key} on (boxes, or masks)")
