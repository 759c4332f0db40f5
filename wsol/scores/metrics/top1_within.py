"""Top-1 within the classes present: the predicted class is one of those that the image shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, Mean
from wsol.scores.groups import first_of_each
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol

WITHIN = "class_within"  # the array of `wsol.evaluation.readings.queries`


@dataclass(frozen=True)
class Top1WithinMetric(Metric):
    """``top1_within``: the share of images, each counted once, however many queries it has."""

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One."""
        return [cls()]

    @property
    def specification(self) -> MetricSpecification:
        """Beside top-1 accuracy, whose place it takes where images show several classes."""
        return MetricSpecification(
            key="top1_within", name="Top-1 within", needs=(WITHIN,), column=16, main_column=12
        )

    def chosen_by(self, per_image: PerImage) -> str | None:
        """No threshold."""
        return None

    def measurable(self, per_image: PerImage, protocol: Protocol) -> bool:
        """Only where every query has class scores."""
        return super().measurable(per_image, protocol) and all_told(per_image, WITHIN)

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """One value, over the first query of each image."""
        rows = _images(per_image)
        return Mean((per_image.readings[WITHIN] == 1)[rows, None], rows)

    def image_scores(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """1 or 0 at the first query of each image; NaN at the others."""
        scores, rows = np.full(len(per_image), np.nan), _images(per_image)
        scores[rows] = per_image.readings[WITHIN][rows] == 1
        return scores


def all_told(per_image: PerImage, reading: str) -> bool:
    """Whether a flag of queries is told of every one."""
    return len(per_image) > 0 and bool((per_image.readings[reading] >= 0).all())


def _images(per_image: PerImage) -> np.ndarray:
    """The rows of the first query of each image."""
    groups = per_image.image_ids if per_image.groups is None else per_image.groups
    return first_of_each(groups)
