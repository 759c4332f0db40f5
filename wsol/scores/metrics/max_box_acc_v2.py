"""MaxBoxAccV2 (Choe et al., CVPR 2020): the box of any contour, each IoU at its own best threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, Mean, MeanOf
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.on_boxes import of_all_images, winning_thresholds
from wsol.scores.metrics.specification import MetricSpecification, iou_name
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol


@dataclass(frozen=True)
class MaxBoxAccV2Metric(Metric):
    """``max_box_acc_v2@d``: the box of some contour has an IoU of at least ``iou`` with a true box."""

    iou: float = 0.5

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One for each IoU of the protocol, and their mean."""
        mean = MeanMaxBoxAccV2Metric.over(protocol.ious)
        return [*mean.each, mean]

    @property
    def specification(self) -> MetricSpecification:
        """Always oracle; the mean stands for all of them in the main columns."""
        return MetricSpecification(
            key=f"max_box_acc_v2@{self.iou:g}",
            name=f"MaxBoxAccV2 {iou_name(self.iou)}",
            oracle=True,
            needs=("boxes",),
            column=30,
        )

    def candidates(self, per_image: PerImage, thresholds: np.ndarray) -> np.ndarray:
        """Those that differ, and are not far below the best."""
        return winning_thresholds(per_image, "all", self.iou, thresholds)

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """Over the images that have a true box."""
        return Mean(per_image.right("all", self.iou, thresholds), per_image.boxed)

    def image_scores(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """1 or 0."""
        return of_all_images(per_image, per_image.right("all", self.iou, threshold))


@dataclass(frozen=True)
class MeanMaxBoxAccV2Metric(Metric):
    """``max_box_acc_v2``: the mean over the IoUs, whose thresholds are chosen one by one."""

    each: tuple[MaxBoxAccV2Metric, ...]

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One."""
        return [cls.over(protocol.ious)]

    @classmethod
    def over(cls, ious: Sequence[float]) -> MeanMaxBoxAccV2Metric:
        """The mean over these IoUs."""
        return cls(tuple(MaxBoxAccV2Metric(iou) for iou in ious))

    @property
    def specification(self) -> MetricSpecification:
        """It does not lead a table: any of many contours may be right, which flatters ragged maps."""
        return MetricSpecification(
            key="max_box_acc_v2",
            name="MaxBoxAccV2",
            oracle=True,
            needs=("boxes",),
            mean_of=tuple(metric.key for metric in self.each),
            column=40,
            main_column=50,
            rank=30,
        )

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """The mean at thresholds common to all IoUs, which is BoxAccV2."""
        return MeanOf([metric.curve(per_image, thresholds) for metric in self.each])
