"""How large the predicted mask is where there is no object, and where there is: at one scale for all.

Normalised by its own range every map has a mask. Here all maps are normalised by one range: the mean
minimum and the mean maximum of the maps of images with an object, with the threshold at which most of
their boxes are right. Both are val's under the policy val. That definition is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import UNIT, Curve, Mean, units
from wsol.scores.map_quantiles import share_above
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.on_boxes import winning_thresholds
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol

IOU = 0.5
CHOOSER = "mask_area_absent"


@dataclass(frozen=True)
class AbsenceAreaMetric(Metric):
    """``mask_area_absent``, ``mask_area_present``: the mean share of the image that is mask."""

    present: bool = False

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """Without an object, and with one."""
        return [cls(False), cls(True)]

    @property
    def specification(self) -> MetricSpecification:
        """The one without an object is a main column."""
        return MetricSpecification(
            key="mask_area_present" if self.present else CHOOSER,
            name="Mask area, object" if self.present else "Mask area, none",
            needs=("map_quantiles", "object_present", "boxes"),
            policies=("oracle", "val"),
            raw_threshold=True,
            lower_is_better=not self.present,
            column=205 if self.present else 204,
            main_column=None if self.present else 204,
        )

    def chosen_by(self, per_image: PerImage) -> str:
        """Both at the same score."""
        return CHOOSER

    def measurable(self, per_image: PerImage, protocol: Protocol) -> bool:
        """Where images with an object have maps of a scale."""
        if not super().measurable(per_image, protocol):
            return False
        low, high = _scale(per_image)
        return bool(low < high)

    def candidates(self, per_image: PerImage, thresholds: np.ndarray) -> np.ndarray:
        """The scores at which those normalised thresholds lie that most boxes may be right at.

        They are those of the grid that the images were scored by.
        """
        low, high = _scale(per_image)
        return low + (high - low) * winning_thresholds(per_image, "single", IOU, per_image.grid)

    def at(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """As it is."""
        return np.array([threshold])

    def choice(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """How many boxes are right at the normalised thresholds that `candidates` came from."""
        normalised = winning_thresholds(per_image, "single", IOU, per_image.grid)
        return Mean(per_image.right("single", IOU, normalised), per_image.boxed)

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """Over the images of one kind."""
        rows = np.flatnonzero(per_image.readings["object_present"] == self.present)
        shares = share_above(per_image.readings["map_quantiles"][rows], thresholds)
        return Mean(units(100 * shares), rows, whole=UNIT)


def _scale(per_image: PerImage) -> tuple[float, float]:
    """The mean lowest and highest score of the maps of images with an object; NaN without any."""
    quantiles = per_image.readings["map_quantiles"][per_image.readings["object_present"]]
    ends = quantiles[~np.isnan(quantiles[:, 0])][:, [0, -1]].astype(np.float64)
    low, high = ends.mean(axis=0) if len(ends) else (np.nan, np.nan)
    return float(low), float(high)
