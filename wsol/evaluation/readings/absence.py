"""What images without an object of any class are told from the others by: scores, not normalised.

After min-max a map has a maximum of 1 and a box at every threshold, whether it shows anything or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from wsol.evaluation.readings.reading import Reading, ScoredMap
from wsol.evaluation.score_map import resize
from wsol.scores.map_quantiles import PARTS
from wsol.scores.protocol import Protocol
from wsol.scores.samples import Annotation, Prediction

# The maximum of a map that is no map, since it has values that are not finite: below every other.
LOWEST = float(np.finfo(np.float32).min)


class Absence(Reading):
    """Read where some images have an object and others have neither label, boxes nor masks.

    Arrays, of N images:

    - ``object_present`` (N,) bool;
    - ``map_maximum`` (N,) float32, of the score map as its source made it; the lowest float32 where the
      map has values that are not finite. A mask or boxes are a map of 1 inside and 0 outside;
    - ``map_quantiles`` (N, 65) float32, rising: the scores, in the source's units, that 0/64, 1/64, ...
      of the pixels of the map in the protocol's frame lie below; NaN where there is no such map;
    - ``probability`` (N,) float32 in [0, 1], of the most probable class; NaN where it is not known.
    """

    @classmethod
    def of(cls, annotations: Sequence[Annotation], protocol: Protocol) -> Self | None:
        """None unless there are both kinds of images."""
        absent = any(not _shows_object(annotation) for annotation in annotations)
        known = any(
            annotation.label >= 0 and (len(annotation.boxes) or annotation.masks)
            for annotation in annotations
        )
        return cls() if absent and known else None

    def empty(self, annotations: Sequence[Annotation]) -> dict[str, np.ndarray]:
        """The four arrays; whether there is an object is known already."""
        n = len(annotations)
        return {
            "object_present": np.array([_shows_object(annotation) for annotation in annotations], bool),
            "map_maximum": np.full(n, LOWEST, np.float32),
            "map_quantiles": np.full((n, PARTS + 1), np.nan, np.float32),
            "probability": np.full(n, np.nan, np.float32),
        }

    def read(self, scored: ScoredMap) -> Mapping[str, Any]:
        """The three that are read of a prediction."""
        probabilities = scored.prediction.probabilities
        return {
            "map_maximum": _maximum(scored.prediction),
            "map_quantiles": _quantiles(scored),
            "probability": max(probabilities, default=np.nan),
        }


def _shows_object(annotation: Annotation) -> bool:
    return annotation.label >= 0 or len(annotation.boxes) > 0 or bool(annotation.masks)


def _maximum(prediction: Prediction) -> float:
    if prediction.score_map is not None:
        score_map = np.asarray(prediction.score_map)
        return float(score_map.max()) if np.isfinite(score_map).all() else LOWEST
    if prediction.mask is not None:
        return float(np.any(prediction.mask))
    return float(prediction.boxes is not None and len(prediction.boxes) > 0)


def _quantiles(scored: ScoredMap) -> np.ndarray:
    prediction, protocol = scored.prediction, scored.protocol
    if prediction.score_map is not None:
        frame = protocol.frame(scored.annotation.size)
        pixels = resize(prediction.score_map, frame, protocol.interpolation).astype(np.float32)
    elif scored.normalised is not None:
        pixels = (scored.normalised > 0).astype(np.float32)
    else:
        return np.full(PARTS + 1, np.nan, np.float32)
    if not np.isfinite(pixels).all():
        return np.full(PARTS + 1, np.nan, np.float32)
    rising = np.sort(pixels, axis=None)
    return rising[np.arange(PARTS + 1) * (len(rising) - 1) // PARTS]
