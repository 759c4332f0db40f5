"""What matching leaves of every image: a few bytes a prediction, so that a large set fits in memory."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np

from wsol.evaluation.objects.image_objects import ImageObjects


@dataclass(frozen=True)
class Tallied:
    """All predictions (D,) and all true objects that count (G,), of ``images`` images.

    Attributes:
        image: (D,) int32, the number of the prediction's image.
        classes: (D,) int32, the prediction's class.
        scores: (D,) float64; all 0 without scores.
        hit: (D,) uint16, bit l is set where it is matched at level l with an object that counts.
        void: (D,) uint16, bit l is set where it does not count at level l.
        true_image: (G,) int32.
        true_classes: (G,) int32.
        images: how many images there are.
    """

    image: np.ndarray
    classes: np.ndarray
    scores: np.ndarray
    hit: np.ndarray
    void: np.ndarray
    true_image: np.ndarray
    true_classes: np.ndarray
    images: int


class Tally:
    """Takes the matches of one image after the other."""

    def __init__(self) -> None:
        self.images = 0
        self.ignored = 0  # true objects that do not count
        self._columns = {name: array(code) for name, code in _CODES.items()}

    def add(self, predicted: ImageObjects, true: ImageObjects, matches: np.ndarray) -> None:
        """Take one image; ``matches`` (L, n) are `match`'s."""
        counted = true.classes[~true.ignore]
        self._extend("true_classes", counted)
        self._extend("true_image", np.full(len(counted), self.images))
        self.ignored += len(true) - len(counted)
        if len(predicted):
            bits = 1 << np.arange(len(matches))
            # The last place of `ignore` answers for -1, which is no match.
            void = np.append(true.ignore, False)[matches]
            self._extend("hit", bits @ ((matches >= 0) & ~void))
            self._extend("void", bits @ void)
            self._extend("classes", predicted.classes)
            self._extend("image", np.full(len(predicted), self.images))
            scores = predicted.scores
            self._extend("scores", np.zeros(len(predicted)) if scores is None else scores)
        self.images += 1

    def tallied(self) -> Tallied:
        """All images so far."""
        arrays = {name: np.frombuffer(column, column.typecode) for name, column in self._columns.items()}
        return Tallied(**arrays, images=self.images)

    def _extend(self, name: str, values: np.ndarray) -> None:
        column = self._columns[name]
        column.frombytes(np.asarray(values).astype(column.typecode).tobytes())


_CODES = {
    "image": "i",
    "classes": "i",
    "scores": "d",
    "hit": "H",
    "void": "H",
    "true_image": "i",
    "true_classes": "i",
}
