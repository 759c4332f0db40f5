"""The predicted classes of a query's image: whether they are among the classes that it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from wsol.evaluation.readings.reading import Reading, ScoredMap
from wsol.scores.metrics.recall_at_k import FOUND
from wsol.scores.metrics.top1_within import WITHIN
from wsol.scores.per_image import UNKNOWN
from wsol.scores.protocol import Protocol
from wsol.scores.samples import Annotation


class QueryClasses(Reading):
    """Two flags of each query, 1 where it is so, 0 where not, -1 where it cannot be told.

    ``class_within`` (N,) int8: the predicted class is one of the k classes that the image shows; the
    same for all queries of an image. ``class_found`` (N,) int8: the class that is asked for is among the
    first k. Without class scores neither is told, nor is the second where fewer than k classes are
    given: a prediction names five at most.
    """

    @classmethod
    def of(cls, annotations: Sequence[Annotation], protocol: Protocol) -> Self | None:
        """Of queries alone."""
        return cls() if annotations and all(one.present for one in annotations) else None

    def empty(self, annotations: Sequence[Annotation]) -> dict[str, np.ndarray]:
        """Nothing is told."""
        return {name: np.full(len(annotations), UNKNOWN, np.int8) for name in (WITHIN, FOUND)}

    def read(self, scored: ScoredMap) -> Mapping[str, Any]:
        """The two flags of a query."""
        top, present = scored.prediction.top5, scored.annotation.present
        if not top:
            return {}
        read = {WITHIN: int(top[0] in present)}
        if len(present) <= len(top):
            read[FOUND] = int(scored.annotation.label in top[: len(present)])
        return read
