"""Recall at k: of the k classes that an image shows, the share among the first k predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, Mean
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.metrics.top1_within import all_told
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol

FOUND = "class_found"  # the array of `wsol.evaluation.readings.queries`


@dataclass(frozen=True)
class RecallAtKMetric(Metric):
    """``recall_at_k``: over queries, so that an image of three classes counts three times.

    Where all images show the same number of classes it is also the mean over images.
    """

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One."""
        return [cls()]

    @property
    def specification(self) -> MetricSpecification:
        """Beside top-1 within."""
        return MetricSpecification(
            key="recall_at_k", name="Recall at k", needs=(FOUND,), column=17, main_column=14
        )

    def chosen_by(self, per_image: PerImage) -> str | None:
        """No threshold."""
        return None

    def measurable(self, per_image: PerImage, protocol: Protocol) -> bool:
        """Only where every query has k classes predicted: five are kept, so never of six."""
        return super().measurable(per_image, protocol) and all_told(per_image, FOUND)

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """One value."""
        return Mean((per_image.readings[FOUND] == 1)[:, None], np.arange(len(per_image)))

    def image_scores(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """1 or 0."""
        return (per_image.readings[FOUND] == 1).astype(np.float64)
