"""Several objects of one class: recall, precision and F1 of contours matched one to one with them.

Sums over the images, so that an image with four objects counts four times: what is asked is how many of
all objects are found. `wsol.evaluation.contours.one_to_one` is the matching.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from wsol.scores.curves import Curve, SumRatio
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
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
        """The three."""
        return [*map(cls, NAMES)]

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
