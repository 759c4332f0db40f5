"""MaxBoxAcc (Choe et al., CVPR 2020): the largest contour's box, at the threshold best for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, Mean
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.on_boxes import of_all_images, winning_thresholds
from wsol.scores.metrics.specification import MetricSpecification, iou_name
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol


@dataclass(frozen=True)
class MaxBoxAccMetric(Metric):
    """``max_box_acc@d``: the largest contour's box has an IoU of at least ``iou`` with a true box."""

    iou: float = 0.5

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One for each IoU of the protocol."""
        return [cls(iou) for iou in protocol.ious]

    @property
    def specification(self) -> MetricSpecification:
        """Always oracle; at IoU 0.5 what tables are ranked by."""
        return MetricSpecification(
            key=f"max_box_acc@{self.iou:g}",
            name=f"MaxBoxAcc {iou_name(self.iou)}",
            oracle=True,
            needs=("boxes",),
            column=20,
            main_column=40,
            rank=10 if self.iou == 0.5 else None,
        )

    def candidates(self, per_image: PerImage, thresholds: np.ndarray) -> np.ndarray:
        """Those that differ, and are not far below the best."""
        return winning_thresholds(per_image, "single", self.iou, thresholds)

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """Over the images that have a true box."""
        return Mean(per_image.right("single", self.iou, thresholds), per_image.boxed)

    def image_scores(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """1 or 0."""
        return of_all_images(per_image, per_image.right("single", self.iou, threshold))
