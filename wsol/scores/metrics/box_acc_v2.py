"""BoxAccV2: MaxBoxAccV2 with one threshold for all IoUs, chosen on val or given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve
from wsol.scores.metrics.max_box_acc_v2 import MeanMaxBoxAccV2Metric
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.on_boxes import of_all_images
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol


@dataclass(frozen=True)
class BoxAccV2Metric(Metric):
    """``box_acc_v2``: the box of some contour is right, the mean over the IoUs."""

    ious: tuple[float, ...]

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One."""
        return [cls(protocol.ious)]

    @property
    def specification(self) -> MetricSpecification:
        """Not under the oracle, which has MaxBoxAccV2 of its own."""
        return MetricSpecification(
            key="box_acc_v2",
            name="BoxAccV2",
            needs=("boxes",),
            policies=("val", "fixed"),
            column=60,
            main_column=60,
            rank=40,
        )

    def candidates(self, per_image: PerImage, thresholds: np.ndarray) -> np.ndarray:
        """Those that differ."""
        return per_image.distinct(thresholds)

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """Over the images that have a true box."""
        return MeanMaxBoxAccV2Metric.over(self.ious).curve(per_image, thresholds)

    def image_scores(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """The share of the IoUs that a box reaches."""
        right = [per_image.right("all", iou, threshold) for iou in self.ious]
        return of_all_images(per_image, np.mean(right, axis=0))
