"""Top-1 and top-5 accuracy: the true class is the first, is among the first five."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, Mean
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol


@dataclass(frozen=True)
class AccuracyMetric(Metric):
    """``top1_acc``, ``top5_acc``: over the images that have a label, whether they have a box or not."""

    k: int = 1

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """Top-1 and top-5."""
        return [cls(1), cls(5)]

    @property
    def specification(self) -> MetricSpecification:
        """Top-1 is what readers see first; the rank is last, since localization is what is compared."""
        first = self.k == 1
        return MetricSpecification(
            key=f"top{self.k}_acc",
            name=f"Top-{self.k} acc",
            needs=("classes",),
            column=10 + self.k,
            main_column=10 if first else None,
            rank=80 if first else None,
        )

    def chosen_by(self, per_image: PerImage) -> str | None:
        """No threshold."""
        return None

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """One value."""
        rows = per_image.labelled
        return Mean(among_first(per_image, self.k)[rows, None], rows)

    def image_scores(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """1 or 0; NaN without a label."""
        return np.where(per_image.labels >= 0, among_first(per_image, self.k), np.nan)


def among_first(per_image: PerImage, k: int) -> np.ndarray:
    """Whether the true class of each image (N,) is among the first ``k``, 1 or 5."""
    return (per_image.top1 if k == 1 else per_image.top5) == 1
