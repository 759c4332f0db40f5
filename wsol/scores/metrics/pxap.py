"""PxAP (Choe et al., CVPR 2020): average precision over the pixels of all images in one pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, Pooled
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.pixel_counts import average_precision
from wsol.scores.protocol import Protocol


@dataclass(frozen=True)
class PxAPMetric(Metric):
    """``pxap``: over all thresholds at once, so that none is chosen."""

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One."""
        return [cls()]

    @property
    def specification(self) -> MetricSpecification:
        """A main column."""
        return MetricSpecification(
            key="pxap", name="PxAP", needs=("masks",), column=80, main_column=70, rank=50
        )

    def chosen_by(self, per_image: PerImage) -> str | None:
        """No threshold."""
        return None

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """One value."""
        return Pooled(per_image.pool, _precision, np.array([0]))


def _precision(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    return average_precision(positives, negatives)[..., None]
