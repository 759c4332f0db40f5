"""Lift of a region: its share of the predicted masks over its share of the images' area.

1 is no preference: a mask that lies anywhere. Pixels of all images that show the region are one pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, Totals
from wsol.scores.metrics import gt_known_loc
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.regions import PER_LEVEL, REGIONS, above, places_of
from wsol.scores.thresholds import TOP, cuts

# Of "other" nothing is asked. Lower is better where it should not be lit.
SHOWN = tuple(name for name in REGIONS if name != "other")
BETTER_LOW = {"ground", "distractor", "context"}


@dataclass(frozen=True)
class RegionLiftMetric(Metric):
    """``lift_<region>``: at the threshold of GT-known localization, under the oracle MaxBoxAcc's too.

    GT-known localization and not ``max_box_acc@0.5``, so that policies val and fixed hold here too.
    """

    region: str = "object"

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One a region."""
        return [cls(region) for region in SHOWN]

    @property
    def specification(self) -> MetricSpecification:
        """In the CSV alone."""
        return MetricSpecification(
            key=f"lift_{self.region}",
            name=f"Lift {self.region}",
            unit="ratio",
            needs=("region_levels", "boxes"),
            lower_is_better=self.region in BETTER_LOW,
            column=230 + SHOWN.index(self.region),
        )

    def chosen_by(self, per_image: PerImage) -> str:
        """GT-known localization."""
        return gt_known_loc.KEY

    def measurable(self, per_image: PerImage, protocol: Protocol) -> bool:
        """Where an image shows the region."""
        return super().measurable(per_image, protocol) and len(self._rows(per_image)) > 0

    def candidates(self, per_image: PerImage, thresholds: np.ndarray) -> np.ndarray:
        """As they are."""
        return thresholds

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """Over the images that show the region."""
        rows = self._rows(per_image)
        levels = per_image.readings["region_levels"][rows]
        # A map's largest value is 255; one that is constant has no mask at any cut.
        at = cuts(thresholds, TOP)
        region, whole = levels[:, places_of(self.region)].sum(axis=1), levels.sum(axis=1)
        return Lift(
            rows,
            masked=above(region, at),
            mask=above(whole, at),
            area=PER_LEVEL * region.sum(axis=1, dtype=np.float64),
            frame=PER_LEVEL * whole.sum(axis=1, dtype=np.float64),
        )

    def _rows(self, per_image: PerImage) -> np.ndarray:
        levels = per_image.readings["region_levels"][:, places_of(self.region)]
        return np.flatnonzero(levels.any(axis=(1, 2)))


@dataclass(frozen=True)
class Lift(Curve):
    """``(masked / mask) / (area / frame)``, sums over the images ``rows`` (n,); a ratio, not percent.

    Pixels in whole units: ``masked`` (n, C) of the region in the mask, ``mask`` (n, C), ``area`` (n,) of
    the region, ``frame`` (n,) of the image. NaN without a mask.
    """

    rows: np.ndarray
    masked: np.ndarray
    mask: np.ndarray
    area: np.ndarray
    frame: np.ndarray
    parts = 4

    @property
    def images(self) -> int:
        """Those of its rows."""
        return len(self.rows)

    def totals(self, weights: np.ndarray) -> Totals:
        """The four sums, (B, C), (B, C), (B, 1), (B, 1)."""
        exact = weights[:, self.rows].astype(np.float64)
        return (
            exact @ self.masked,
            exact @ self.mask,
            (exact @ self.area)[:, None],
            (exact @ self.frame)[:, None],
        )

    def percent(self, totals: Totals) -> np.ndarray:
        """The ratios (B, C)."""
        masked, mask, area, frame = totals
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(mask * area > 0, masked / mask / (area / frame), np.nan)
