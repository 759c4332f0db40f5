"""FPR at 95 % recall: how many images without an object pass for one, where 95 % of the others do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve
from wsol.scores.detection_curves import FalseAlarms, HighestReaching
from wsol.scores.metrics.absence_auroc import SCORES, is_known
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.on_boxes import OUT_OF_REACH
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol

RECALL = 95


@dataclass(frozen=True)
class AbsenceFprMetric(Metric):
    """``map_fpr95``, ``softmax_fpr95``: at the highest score that 95 % of images with an object reach.

    These are the val split's images under the policy val, and the scored ones under the oracle.
    """

    by: str = "map"

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """By the map's maximum, and by the largest softmax."""
        return [cls(by) for by in SCORES]

    @property
    def specification(self) -> MetricSpecification:
        """Main columns; a threshold of normalised maps that is given beforehand means nothing here."""
        place = 202 + list(SCORES).index(self.by)
        return MetricSpecification(
            key=f"{self.by}_fpr{RECALL}",
            name=f"FPR{RECALL} {self.by}",
            needs=(SCORES[self.by], "object_present"),
            policies=("oracle", "val"),
            raw_threshold=True,
            lower_is_better=True,
            column=place,
            main_column=place,
        )

    def measurable(self, per_image: PerImage, protocol: Protocol) -> bool:
        """Where every image has a score."""
        return super().measurable(per_image, protocol) and is_known(per_image, self.by)

    def candidates(self, per_image: PerImage, thresholds: np.ndarray) -> np.ndarray:
        """Scores of images with an object that may be the 5 % quantile of a resample, and the lowest.

        ``thresholds`` are of normalised maps, and left aside.
        """
        scores, present = self._read(per_image)
        rising = np.sort(scores[present])
        missed = 1 - RECALL / 100
        reach = OUT_OF_REACH * (np.sqrt(len(rising) * missed * (1 - missed)) + 1)
        middle = len(rising) * missed
        near = rising[max(int(middle - reach), 0) : int(middle + reach) + 1]
        return np.unique(np.concatenate([rising[:1], near])).astype(np.float64)

    def at(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """As it is."""
        return np.array([threshold])

    def choice(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """The highest threshold with that recall."""
        return HighestReaching(*self._read(per_image), thresholds, RECALL)

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """Over the images without an object."""
        return FalseAlarms(*self._read(per_image), thresholds)

    def _read(self, per_image: PerImage) -> tuple[np.ndarray, np.ndarray]:
        return per_image.readings[SCORES[self.by]], per_image.readings["object_present"]
