"""Several objects of one class: recall, precision and F1 of contours matched one to one with them.

Sums over the images, so that an image with four objects counts four times: what is asked is how many of
all objects are found. `wsol.evaluation.contours.one_to_one` is the matching.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from wsol.scores.curves import Curve, Mean, Totals
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.pixel_counts import percent
from wsol.scores.protocol import Protocol
from wsol.scores.thresholds import TOP, cuts

CHOOSER = "instance_f1@0.5"
NEEDS = ("instances", "instance_contours", "instance_hits", "boxes")

Kind = Literal["f1", "recall", "precision"]
NAMES: dict[Kind, str] = {"f1": "Instance F1 .5", "recall": "Recall .5", "precision": "Precision .5"}


@dataclass(frozen=True)
class InstanceMetric(Metric):
    """``instance_f1@0.5``, ``instance_recall@0.5``, ``instance_precision@0.5``; F1 chooses."""

    kind: Kind = "f1"

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """The three, whether all instances of an image are found, and what one box an image can."""
        return [*map(cls, NAMES), AllInstancesMetric(), SingleCapMetric()]

    @property
    def specification(self) -> MetricSpecification:
        """Main columns."""
        place = list(NAMES).index(self.kind)
        return MetricSpecification(
            key=f"instance_{self.kind}@0.5",
            name=NAMES[self.kind],
            needs=NEEDS,
            column=240 + place,
            main_column=140 + place,
        )

    def chosen_by(self, per_image: PerImage) -> str:
        """F1."""
        return CHOOSER

    def candidates(self, per_image: PerImage, thresholds: np.ndarray) -> np.ndarray:
        """One of each cut."""
        return per_image.distinct(thresholds)

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """Over the images that show an object."""
        rows = per_image.boxed
        at = cuts(thresholds, TOP)
        hits, contours = (
            per_image.readings[name][rows][:, at].astype(np.float64)
            for name in ("instance_hits", "instance_contours")
        )
        there = per_image.readings["instances"][rows, None].astype(np.float64)
        if self.kind == "f1":
            return SumRatio(rows, 2 * hits, contours + there)
        return SumRatio(rows, hits, contours if self.kind == "precision" else there)


@dataclass(frozen=True)
class AllInstancesMetric(Metric):
    """``all_instances@0.5``: every object of the image is found, at the threshold of F1."""

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """None of its own: `InstanceMetric` gives it."""
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


@dataclass(frozen=True)
class SingleCapMetric(Metric):
    """``single_cap``: the recall of one perfect box an image, which the single contour cannot pass."""

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """None of its own: `InstanceMetric` gives it."""
        return [cls()]

    @property
    def specification(self) -> MetricSpecification:
        """In the CSV alone."""
        return MetricSpecification(
            key="single_cap", name="Cap of one box", needs=("instances", "boxes"), column=246
        )

    def chosen_by(self, per_image: PerImage) -> str | None:
        """No threshold."""
        return None

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """1/k where every image shows k."""
        rows = per_image.boxed
        there = per_image.readings["instances"][rows, None].astype(np.float64)
        return SumRatio(rows, np.ones_like(there), there)


@dataclass(frozen=True)
class SumRatio(Curve):
    """The sum of ``parts_of`` (n, C) over that of ``wholes`` (n, C or 1), images ``rows`` (n,)."""

    rows: np.ndarray
    parts_of: np.ndarray
    wholes: np.ndarray

    @property
    def covered(self) -> np.ndarray:
        """Its rows."""
        return self.rows

    def totals(self, weights: np.ndarray) -> Totals:
        """Both sums (B, C)."""
        exact = weights[:, self.rows].astype(np.float64)
        return exact @ self.parts_of, exact @ self.wholes

    def percent(self, totals: Totals) -> np.ndarray:
        """NaN where there is nothing to divide by."""
        return percent(*totals)
