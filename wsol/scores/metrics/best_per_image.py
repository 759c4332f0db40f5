"""A bound, not a score: each image cut at the threshold that is best for it alone.

Some papers report this as their figure. Nobody can choose such thresholds without the true boxes of the
very images, so it says what the maps hold and not what a method finds. It is no metric of records, and
`wsol results bounds` prints it beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, Mean
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.on_boxes import of_all_images
from wsol.scores.metrics.specification import MetricSpecification, iou_name
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol

PLACE = f"{__name__}:BestPerImageMetric"


@dataclass(frozen=True)
class BestPerImageMetric(Metric):
    """``best_per_image@d``: at some threshold the largest contour's box reaches the IoU ``iou``."""

    iou: float = 0.5

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One for each IoU of the protocol."""
        return [cls(iou) for iou in protocol.ious]

    @property
    def specification(self) -> MetricSpecification:
        """Always oracle, and never ranked by."""
        return MetricSpecification(
            key=f"best_per_image@{self.iou:g}",
            name=f"Bound: best threshold per image {iou_name(self.iou)}",
            oracle=True,
            needs=("boxes",),
        )

    def chosen_by(self, per_image: PerImage) -> str | None:
        """No threshold of its own: every image has one."""
        return None

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """Over the images that have a true box."""
        return Mean(self._reached(per_image)[:, None], per_image.boxed)

    def image_scores(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """1 or 0."""
        return of_all_images(per_image, self._reached(per_image))

    def _reached(self, per_image: PerImage) -> np.ndarray:
        grid = per_image.distinct(per_image.grid)
        return np.any(per_image.right("single", self.iou, grid), axis=1)
