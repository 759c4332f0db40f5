"""The cap of one box: the recall of one perfect box an image, where images show several objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, SumRatio
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol


@dataclass(frozen=True)
class SingleCapMetric(Metric):
    """``single_cap``: the recall of one perfect box an image, which the single contour cannot pass."""

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One."""
        return [cls()]

    @property
    def specification(self) -> MetricSpecification:
        """In the CSV alone."""
        return MetricSpecification(
            key="single_cap", name="Cap of one box", needs=("instances", "boxes"), column=246
        )

    def chosen_by(self, per_image: PerImage) -> str | None:
        """No threshold."""
        return None

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """1/k where every image shows k."""
        rows = per_image.boxed
        there = per_image.readings["instances"][rows, None].astype(np.float64)
        return SumRatio(rows, np.ones_like(there), there)
