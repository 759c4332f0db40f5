"""GT-known localization: the box of the true class's map is right, at the policy's threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, Mean
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.on_boxes import of_all_images, winning_thresholds
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol

# By definition, whatever the protocol's other IoU thresholds are.
IOU = 0.5
KEY = "gt_known_loc@0.5"


@dataclass(frozen=True)
class GTKnownLocMetric(Metric):
    """``gt_known_loc@0.5``: the largest contour's box has an IoU of at least 0.5."""

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One."""
        return [cls()]

    @property
    def specification(self) -> MetricSpecification:
        """It leads where there is no MaxBoxAcc at 0.5."""
        return MetricSpecification(
            key=KEY, name="GT-known .5", needs=("boxes",), column=50, main_column=30, rank=20
        )

    def candidates(self, per_image: PerImage, thresholds: np.ndarray) -> np.ndarray:
        """Those that differ, and are not far below the best."""
        return winning_thresholds(per_image, "single", IOU, thresholds)

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """Over the images that have a true box."""
        return Mean(per_image.right("single", IOU, thresholds), per_image.boxed)

    def image_scores(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """1 or 0."""
        return of_all_images(per_image, per_image.right("single", IOU, threshold))
