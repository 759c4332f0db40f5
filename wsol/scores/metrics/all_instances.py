"""All found: the images of which every object is found, by contours matched one to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, Mean
from wsol.scores.metrics.instance_figures import CHOOSER, NEEDS
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.thresholds import TOP, cuts


@dataclass(frozen=True)
class AllInstancesMetric(Metric):
    """``all_instances@0.5``: every object of the image is found, at the threshold of F1."""

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One."""
        return [cls()]

    @property
    def specification(self) -> MetricSpecification:
        """The column "all" beside MaxBoxAcc's, for which any object will do."""
        return MetricSpecification(
            key="all_instances@0.5",
            name="All found .5",
            needs=NEEDS,
            column=244,
            main_column=144,
        )

    def chosen_by(self, per_image: PerImage) -> str:
        """F1."""
        return CHOOSER

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """Over the images that show an object."""
        rows = per_image.boxed
        hits = per_image.readings["instance_hits"][rows][:, cuts(thresholds, TOP)]
        return Mean(hits == per_image.readings["instances"][rows, None], rows)
