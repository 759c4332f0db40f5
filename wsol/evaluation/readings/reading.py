"""The contract of a reading: which arrays it fills, and what it reads of one prediction.

A new reading is one file with a subclass of `Reading`, named in ``wsol.evaluation.readings.KINDS``, and
one with the metrics that it is for, in `wsol.scores.metrics`; these need it by the names of its arrays.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from wsol.scores.protocol import Protocol
from wsol.scores.samples import Annotation, Prediction


@dataclass(frozen=True)
class ScoredMap:
    """What there is of one image when it is scored.

    ``normalised`` (height, width) float64 in [0, 1] is the score map in the protocol's frame, or a
    mask, 1 inside and -1 outside; None where the prediction is boxes. ``prediction.score_map`` is the
    map as its source made it.
    """

    prediction: Prediction
    annotation: Annotation
    protocol: Protocol
    normalised: np.ndarray | None


class Reading(ABC):
    """One kind of reading of a split."""

    @classmethod
    @abstractmethod
    def of(cls, annotations: Sequence[Annotation], protocol: Protocol) -> Self | None:
        """The reading of a split with these annotations; None where they do not say what it needs."""

    @abstractmethod
    def empty(self, annotations: Sequence[Annotation]) -> dict[str, np.ndarray]:
        """Arrays (N, ...) by name, to be filled for these images, of the split or of a share of it."""

    @abstractmethod
    def read(self, scored: ScoredMap) -> Mapping[str, Any]:
        """The row of each array for one image."""
