"""Top-k localization: the true class is among the first k, and its map's box is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, Mean
from wsol.scores.metrics import gt_known_loc
from wsol.scores.metrics.classification import among_first
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.on_boxes import of_all_images
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol


@dataclass(frozen=True)
class TopKLocMetric(Metric):
    """``top1_loc@0.5``, ``top5_loc@0.5``: at the threshold of GT-known localization."""

    k: int = 1

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """Top-1 and top-5."""
        return [cls(1), cls(5)]

    @property
    def specification(self) -> MetricSpecification:
        """Top-1 is a main column."""
        return MetricSpecification(
            key=f"top{self.k}_loc@0.5",
            name=f"Top-{self.k} loc .5",
            needs=("boxes", "classes"),
            column=50 + self.k,
            main_column=20 if self.k == 1 else None,
        )

    def chosen_by(self, per_image: PerImage) -> str:
        """GT-known localization."""
        return gt_known_loc.KEY

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """Over the images that have a true box and a label."""
        right = per_image.right("single", gt_known_loc.IOU, thresholds)
        boxed = per_image.boxed
        known = per_image.labels[boxed] >= 0
        named = among_first(per_image, self.k)[boxed]
        return Mean((right & named[:, None])[known], boxed[known])

    def image_scores(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """1 or 0; NaN without a label."""
        right = per_image.right("single", gt_known_loc.IOU, threshold)
        named = among_first(per_image, self.k)[per_image.boxed]
        return np.where(per_image.labels >= 0, of_all_images(per_image, right & named), np.nan)
