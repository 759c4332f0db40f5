"""The table of objects: a row a true object, and a row a prediction that has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from wsol.evaluation.objects.image_objects import ImageObjects
from wsol.evaluation.objects.matching import same_class
from wsol.evaluation.overlap import box_cells

COLUMNS = [
    *("image_id", "class", "x0", "y0", "x1", "y1", "predicted_class"),
    *("predicted_x0", "predicted_y0", "predicted_x1", "predicted_y1", "score", "iou", "outcome"),
]
MATCHED, MISSED, FALSE_POSITIVE, IGNORED = "matched", "missed", "false positive", "ignored"


def object_rows(
    image_id: str,
    sides: tuple[ImageObjects, ImageObjects],
    iou: np.ndarray,
    matched: np.ndarray,
    classes: tuple[Sequence[str], Sequence[str]],
) -> Iterator[list[str]]:
    """The cells of one image's objects under `COLUMNS`, true objects first.

    ``sides`` are the predicted and the true objects, ``iou`` (n, m) theirs, ``matched`` (n,) the true
    object of each prediction at one level, -1 for none, ``classes`` the names of each object's class.
    The IoU is that of the matched pair; without one it is the best with any object of the class.
    """
    predicted, true = sides
    allowed = np.where(same_class(predicted, true), iou, 0.0) if iou.size else iou
    counted = np.flatnonzero(matched >= 0)
    by_true = {int(matched[row]): int(row) for row in counted if not true.ignore[matched[row]]}
    for column in range(len(true)):
        row = by_true.get(column)
        own = [image_id, classes[1][column], *box_cells(true.boxes[column])]
        if row is None:
            best = allowed[:, column].max() if len(predicted) else 0.0
            cells = [IGNORED] if true.ignore[column] else [MISSED]
            yield [*own, *[""] * 6, "" if true.ignore[column] else f"{best:.4f}", *cells]
        else:
            yield [*own, *_prediction(predicted, row, classes[0]), f"{iou[row, column]:.4f}", MATCHED]
    for row in range(len(predicted)):
        place = int(matched[row])
        if place < 0 or true.ignore[place]:
            best = (allowed[row].max() if len(true) else 0.0) if place < 0 else iou[row, place]
            outcome = FALSE_POSITIVE if place < 0 else IGNORED
            cells = _prediction(predicted, row, classes[0])
            yield [image_id, *[""] * 5, *cells, f"{best:.4f}", outcome]


def _prediction(predicted: ImageObjects, row: int, classes: Sequence[str]) -> list[str]:
    score = "" if predicted.scores is None else f"{predicted.scores[row]:g}"
    return [classes[row], *box_cells(predicted.boxes[row]), score]
