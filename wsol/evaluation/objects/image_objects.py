"""The objects of one image as arrays, and the IoU of each prediction with each true object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from wsol.evaluation.objects.region import Region


@dataclass(frozen=True)
class ImageObjects:
    """The objects of one image, of one side.

    Attributes:
        boxes: (n, 4) float64 half-open ``x0, y0, x1, y1``.
        classes: (n,) int32; only objects of the same number are matched.
        ignore: (n,) bool: predictions of it do not count, neither does it itself.
        scores: (n,) float64, higher is surer; None where none are told.
        regions: the mask of each object, None for one without; empty where none has one.
        boxed: (n,) bool: the box was told and does not come from the mask; None: all were.
    """

    boxes: np.ndarray
    classes: np.ndarray
    ignore: np.ndarray
    scores: np.ndarray | None = None
    regions: tuple[Region | None, ...] = ()
    boxed: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def of_boxes(
        cls,
        boxes: np.ndarray,
        classes: np.ndarray | None = None,
        ignore: np.ndarray | None = None,
        scores: np.ndarray | None = None,
    ) -> ImageObjects:
        """Boxes (n, 4); of one class and none ignored unless something else is said."""
        boxes = np.ascontiguousarray(boxes, np.float64).reshape(-1, 4)
        return cls(
            boxes,
            np.zeros(len(boxes), np.int32) if classes is None else np.asarray(classes, np.int32),
            np.zeros(len(boxes), bool) if ignore is None else np.asarray(ignore, bool),
            None if scores is None else np.asarray(scores, np.float64),
        )

    @property
    def all_masks(self) -> bool:
        """Whether every object that counts has a mask, and there is a mask."""
        told = np.array([region is not None for region in self.regions], bool)
        return bool(told.any() and (told | self.ignore).all())


def pair_iou(predicted: ImageObjects, true: ImageObjects) -> np.ndarray:
    """IoU (n, m) in [0, 1], float64: as masks where all objects of both sides have one, else as boxes.

    With an ignored object it is the share of the prediction that lies in it, as COCO has it for its
    crowds (Lin et al., ECCV 2014). An ignored mask without a box of its own is pixels that do not count:
    of predicted masks those outside of the true object are left out, too.
    """
    if not len(predicted) or not len(true):
        return np.zeros((len(predicted), len(true)))
    if predicted.all_masks and true.all_masks:
        return _mask_iou(predicted, true)
    iou = _box_iou(predicted.boxes, true.boxes, true.ignore)
    for place in _loose(true):
        region = true.regions[place]
        assert region is not None
        sides = predicted.boxes[:, 2:] - predicted.boxes[:, :2]
        area = np.maximum(sides.prod(axis=1), 1e-12)
        inside = np.array([region.within(box) for box in predicted.boxes])
        iou[:, place] = np.minimum(inside / area, 1.0)
    return iou


def _loose(true: ImageObjects) -> list[int]:
    """Ignored masks that came without a box."""
    if true.boxed is None or true.boxed.all():
        return []
    return np.flatnonzero(true.ignore & ~true.boxed).tolist()


def _mask_iou(predicted: ImageObjects, true: ImageObjects) -> np.ndarray:
    iou = np.zeros((len(predicted), len(true)))
    void: np.ndarray | None = None
    for place in _loose(true):
        region = true.regions[place]
        assert region is not None
        void = region.pixels() if void is None else void | region.pixels()
    areas = [0 if region is None else region.area for region in true.regions]
    for row, one in enumerate(predicted.regions):
        assert one is not None
        area = one.area
        counted = area if void is None else one.shared(one, without=void)
        for column, other in enumerate(true.regions):
            if other is None:  # an ignored box
                iou[row, column] = one.within(true.boxes[column]) / area
                continue
            shared = one.shared(other)
            if true.ignore[column]:
                iou[row, column] = shared / area
                continue
            # Void pixels count where the true object itself covers them.
            kept = counted if void is None else counted + shared - one.shared(other, without=void)
            iou[row, column] = shared / (kept + areas[column] - shared)
    return iou


@njit(nogil=True, cache=True)
def _box_iou(predicted, true, ignore):
    iou = np.zeros((predicted.shape[0], true.shape[0]))
    for i in range(predicted.shape[0]):
        x0, y0, x1, y1 = predicted[i, 0], predicted[i, 1], predicted[i, 2], predicted[i, 3]
        area = (x1 - x0) * (y1 - y0)
        for j in range(true.shape[0]):
            width = min(x1, true[j, 2]) - max(x0, true[j, 0])
            height = min(y1, true[j, 3]) - max(y0, true[j, 1])
            if width > 0 and height > 0:
                shared = width * height
                other = (true[j, 2] - true[j, 0]) * (true[j, 3] - true[j, 1])
                iou[i, j] = shared / (area if ignore[j] else area + other - shared)
    return iou
