"""The contract of a metric: which keys it has under a protocol, and its values from `PerImage`.

A new metric is one file with a subclass of `Metric`. Name it in ``wsol.scores.metrics.METRICS`` or,
from outside this repository, as ``package.module:Class`` in `Protocol.metrics`; values, intervals,
records and tables follow.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from wsol.scores.curves import Curve
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol


class Metric(ABC):
    """One metric, with one key; a subclass is a kind of them, such as MaxBoxAcc at any IoU."""

    @classmethod
    @abstractmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """The metrics of this kind that every evaluation under ``protocol`` reports."""

    @property
    @abstractmethod
    def specification(self) -> MetricSpecification:
        """What tables need to know of it."""

    @property
    def key(self) -> str:
        """What records call it."""
        return self.specification.key

    def chosen_by(self, per_image: PerImage) -> str | None:
        """The key of the metric at whose best threshold it is read; None where it has no threshold."""
        return self.key

    def measurable(self, per_image: PerImage, protocol: Protocol) -> bool:
        """Whether it can be computed from these arrays."""
        needs = self.specification.needs
        return all(any(per_image.has(part) for part in need.split(" or ")) for need in needs)

    def candidates(self, per_image: PerImage, thresholds: np.ndarray) -> np.ndarray:
        """Those (C,) of ``thresholds`` (T,), rising, that may be its best in a resample of the images.

        Asked only of metrics that choose. Fewer of them make intervals cheaper.
        """
        return thresholds

    def at(self, per_image: PerImage, threshold: float) -> np.ndarray:
        """A threshold (1,) that was given, as `curve` takes it."""
        return self.candidates(per_image, np.array([threshold]))

    def choice(self, per_image: PerImage, thresholds: np.ndarray) -> Curve | None:
        """What is highest at the threshold that it chooses among its candidates (C,).

        None where that is the metric itself. Of equals the lowest threshold is taken.
        """
        return None

    @abstractmethod
    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """It in percent at thresholds (C,) in [0, 1), for any weighting of the images.

        Where the specification says so, thresholds are any numbers and values of another unit. One
        value, C = 1, for a metric without a threshold.
        """

    def class_curves(self, per_image: PerImage, thresholds: np.ndarray) -> dict[str, Curve]:
        """The same of single classes, by ``key:label``, for a metric that is a mean over them."""
        return {}

    def image_scores(self, per_image: PerImage, threshold: float) -> np.ndarray | None:
        """Each image's share (N,) in [0, 1] of the metric, for paired tests; NaN where it has none.

        None for a metric that is no mean over images.
        """
        return None
