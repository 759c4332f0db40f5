"""Deletion and insertion: how a network's probability of the true class follows a map's ranking.

Petsiuk, Das, Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models", BMVC 2018.
`wsol.maps.faithfulness` measures the areas; here they are averaged over images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import UNIT, Curve, Mean, units
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol

# The keys, and what people read. RISE deletes to the mean colour and inserts into a blurred image; the
# other two say how much of a figure is the baseline's.
NAMES = {
    "deletion": "Deletion",
    "insertion": "Insertion",
    "deletion_blur": "Deletion, blur",
    "insertion_mean": "Insertion, mean colour",
}


@dataclass(frozen=True)
class FaithfulnessMetric(Metric):
    """``deletion``, ``insertion``, ``deletion_blur``, ``insertion_mean``: areas in percent.

    Over the images whose area was measured: those with a label.
    """

    which: str = "deletion"

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """All four."""
        return [cls(which) for which in NAMES]

    @property
    def specification(self) -> MetricSpecification:
        """In the CSV, and in a table of their own that compares the maps of one network."""
        return MetricSpecification(
            key=self.which,
            name=NAMES[self.which],
            needs=(self.which,),
            lower_is_better=self.which.startswith("deletion"),
            of_network=True,
            column=260 + list(NAMES).index(self.which),
        )

    def chosen_by(self, per_image: PerImage) -> str | None:
        """No threshold."""
        return None

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """One value; NaN where no image was measured, as of maps that are boxes."""
        areas = per_image.readings[self.which]
        rows = np.flatnonzero(~np.isnan(areas))
        return Mean(units(100 * areas[rows, None].astype(np.float64)), rows, whole=UNIT)

    def image_scores(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """The area; NaN of an image that was not measured."""
        return per_image.readings[self.which].astype(np.float64)
