"""IoU of given boxes or masks with the truth, image by image: no score map, no threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from wsol.errors import UserError
from wsol.evaluation.contours.iou import iou_matrix
from wsol.evaluation.contours.sweep import largest_contour_boxes
from wsol.scores.curves import UNIT, Mean, units
from wsol.scores.resampling.interval import interval
from wsol.scores.resampling.replicates import Replicates
from wsol.scores.resampling.weights import resample_weights

DELTAS = (0.3, 0.5, 0.7)


@dataclass(frozen=True)
class Shapes:
    """The boxes (n, 4), half-open pixels, of an image; or its mask (height, width) bool; or both.

    ``ignore`` (height, width) bool are pixels that do not count when masks are compared.
    """

    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    mask: np.ndarray | None = None
    ignore: np.ndarray | None = None

    def as_boxes(self) -> np.ndarray:
        """The boxes, or where there are none the rectangle (n, 4) of the mask's largest contour."""
        if len(self.boxes) or self.mask is None or not self.mask.any():
            return self.boxes
        return largest_contour_boxes(self.mask.astype(np.uint8) * 255)[:1]

    @property
    def empty(self) -> bool:
        """Whether no object is there."""
        return not len(self.boxes) and (self.mask is None or not self.mask.any())


@dataclass(frozen=True)
class Overlap:
    """An image's ``iou``, NaN where it shows no object; the ``box`` (4,) that has it, if a box has.

    ``true_box`` (4,) is the one that it has it with, and ``pair`` the numbers of the two among the
    boxes of their sides.
    """

    image_id: str
    iou: float
    box: np.ndarray | None = None
    true_box: np.ndarray | None = None
    pair: tuple[int, int] | None = None


def overlap(image_id: str, predicted: Shapes, true: Shapes) -> Overlap:
    """Masks are compared as masks where both sides have one, and else boxes: the best pair counts.

    No prediction has IoU 0. ``UserError`` where two masks differ in size.
    """
    if true.empty:
        return Overlap(image_id, float("nan"))
    if predicted.mask is not None and true.mask is not None:
        return Overlap(image_id, mask_iou(image_id, predicted.mask, true.mask, true.ignore))
    boxes = predicted.as_boxes()
    if not len(boxes):
        return Overlap(image_id, 0.0)
    true_boxes = true.as_boxes()
    iou = iou_matrix(boxes, true_boxes)
    row = int(iou.max(axis=1).argmax())
    column = int(iou[row].argmax())
    return Overlap(image_id, float(iou.max()), boxes[row], true_boxes[column], (row, column))


def mask_iou(
    image_id: str, predicted: np.ndarray, true: np.ndarray, ignore: np.ndarray | None = None
) -> float:
    """IoU of two masks (height, width) bool; pixels of ``ignore`` outside ``true`` are left out."""
    for mask in (predicted, ignore):
        if mask is not None:
            check_size(image_id, mask.shape, true.shape)
    if ignore is not None:
        predicted = predicted & (true | ~ignore)
    return np.count_nonzero(predicted & true) / max(np.count_nonzero(predicted | true), 1)


def check_size(image_id: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """``UserError`` where a mask of (height, width) has another size than the true one."""
    if found != expected:
        one, other = (f"{size[1]} x {size[0]}" for size in (found, expected))
        raise UserError(f"{image_id}: a mask has {one} pixels, the true one {other}")


def totals(iou: np.ndarray) -> dict[str, dict[str, float | None]]:
    """``mean_iou`` and ``acc@d``, percent of images with IoU >= d, with 95 % intervals over images.

    ``iou`` (n,) is that of each image; over those that show an object, whose IoU is not NaN. None where
    none does.
    """
    iou = iou[~np.isnan(iou)]
    everyone = np.arange(len(iou))
    curves = {"mean_iou": Mean(units(100 * iou)[:, None], everyone, UNIT)}
    curves |= {f"acc@{delta:g}": Mean((iou >= delta)[:, None], everyone) for delta in DELTAS}
    if not len(iou):
        return {key: {"value": None, "low": None, "high": None} for key in curves}
    drawn: dict[str, list[np.ndarray]] = {key: [] for key in curves}
    # A block at a time: the weights of all resamples are a thousand times the images.
    for block in chain([np.ones((1, len(iou)), np.float32)], resample_weights(len(iou))):
        for key, curve in curves.items():
            drawn[key].append(curve(block)[:, 0])
    result = {}
    for key, blocks in drawn.items():
        (value, *draws) = np.concatenate(blocks)
        low, high = interval(value, Replicates(np.array(draws), np.array(draws)), len(iou)) or (
            None,
            None,
        )
        result[key] = {"value": float(value), "low": low, "high": high}
    return result


COLUMNS = [
    *("image_id", "x0", "y0", "x1", "y1", "iou", *(f"acc@{delta:g}" for delta in DELTAS)),
    *("class", "true_x0", "true_y0", "true_x1", "true_y1", "predicted_class", "score"),
]


def table_row(each: Overlap, classes: Sequence[str] = ("", ""), score: float | None = None) -> list[str]:
    """The cells of an image under `COLUMNS`; the IoU of an image without object is empty.

    ``classes`` are those of the true and the predicted object of the best pair, ``score`` the latter's.
    """
    numbers = [f"{each.iou:.4f}", *(str(int(each.iou >= delta)) for delta in DELTAS)]
    return [
        *(each.image_id, *box_cells(each.box)),
        *([""] * len(numbers) if np.isnan(each.iou) else numbers),
        *(classes[0], *box_cells(each.true_box), classes[1]),
        "" if score is None else f"{score:g}",
    ]


def box_cells(box: Sequence[float] | np.ndarray | None) -> list[str]:
    """The four numbers of a box (4,), empty without one."""
    if box is None:
        return [""] * 4
    return [f"{value:g}" for value in (box.tolist() if isinstance(box, np.ndarray) else box)]
