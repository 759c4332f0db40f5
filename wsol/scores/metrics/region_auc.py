"""Pixel AUC of one region against another: ranks, which no normalisation changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import UNIT, Curve, Mean, units
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.regions import PAIRS

# Pairs of which a good map shows little: what is no object should not score higher than the ground.
BETTER_LOW = {("distractor", "ground"), ("context", "ground")}


@dataclass(frozen=True)
class RegionAucMetric(Metric):
    """``auc_<first>_over_<second>``: mean over the images that show both; 50 is no preference."""

    first: str = "object"
    second: str = "ground"

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One a pair."""
        return [cls(*pair) for pair in PAIRS]

    @property
    def specification(self) -> MetricSpecification:
        """A main column of data sets whose parts files name both."""
        place = 220 + self._place
        return MetricSpecification(
            key=f"auc_{self.first}_over_{self.second}",
            name=f"AUC {self.first}/{self.second}",
            needs=("region_auc",),
            lower_is_better=(self.first, self.second) in BETTER_LOW,
            column=place,
            main_column=place,
        )

    def chosen_by(self, per_image: PerImage) -> str | None:
        """No threshold."""
        return None

    def measurable(self, per_image: PerImage, protocol: Protocol) -> bool:
        """Where an image shows both."""
        return super().measurable(per_image, protocol) and not np.isnan(self._auc(per_image)).all()

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """One value."""
        auc = self._auc(per_image)
        rows = np.flatnonzero(~np.isnan(auc))
        return Mean(units(100 * auc[rows, None]), rows, whole=UNIT)

    def image_scores(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """The AUC; NaN where a region is not there."""
        return self._auc(per_image)

    @property
    def _place(self) -> int:
        return PAIRS.index((self.first, self.second))

    def _auc(self, per_image: PerImage) -> np.ndarray:
        return per_image.readings["region_auc"][:, self._place].astype(np.float64)
