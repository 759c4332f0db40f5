"""The areas under a map's deletion and insertion curves, for which its network was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from wsol.evaluation.readings.reading import Reading, ScoredMap
from wsol.scores.metrics.faithfulness import NAMES
from wsol.scores.protocol import Protocol
from wsol.scores.samples import Annotation


class Faithfulness(Reading):
    """An array (N,) float32 in [0, 1] of each area, by the key of its metric; NaN where not measured.

    Predictions bring the areas with them (`Prediction.faithfulness`). No annotation says that they are
    wanted: whoever asks a network for them adds this reading.
    """

    @classmethod
    def of(cls, annotations: Sequence[Annotation], protocol: Protocol) -> Self | None:
        """None: of annotations alone it is never read."""
        return None

    def empty(self, annotations: Sequence[Annotation]) -> dict[str, np.ndarray]:
        """Nothing measured."""
        return {key: np.full(len(annotations), np.nan, np.float32) for key in NAMES}

    def read(self, scored: ScoredMap) -> Mapping[str, Any]:
        """The areas that the prediction brings, if it does."""
        return scored.prediction.faithfulness
