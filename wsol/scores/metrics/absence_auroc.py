"""AUROC of images with an object against images without one, by the map's maximum or the softmax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve
from wsol.scores.detection_curves import Auroc
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol

# The array that holds the score of each name.
SCORES = {"map": "map_maximum", "softmax": "probability"}


@dataclass(frozen=True)
class AbsenceAurocMetric(Metric):
    """``map_auroc``, ``softmax_auroc``: over all thresholds of an unnormalised score."""

    by: str = "map"

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """By the map's maximum, and by the largest softmax."""
        return [cls(by) for by in SCORES]

    @property
    def specification(self) -> MetricSpecification:
        """Main columns of data sets with images without an object."""
        place = 200 + list(SCORES).index(self.by)
        return MetricSpecification(
            key=f"{self.by}_auroc",
            name=f"AUROC {self.by}",
            needs=(SCORES[self.by], "object_present"),
            column=place,
            main_column=place,
        )

    def chosen_by(self, per_image: PerImage) -> str | None:
        """No threshold."""
        return None

    def measurable(self, per_image: PerImage, protocol: Protocol) -> bool:
        """Where every image has a score."""
        return super().measurable(per_image, protocol) and is_known(per_image, self.by)

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """One value."""
        return Auroc(per_image.readings[SCORES[self.by]], per_image.readings["object_present"])


def is_known(per_image: PerImage, by: str) -> bool:
    """Whether every image has the score of that name."""
    return not np.isnan(per_image.readings[SCORES[by]]).any()
