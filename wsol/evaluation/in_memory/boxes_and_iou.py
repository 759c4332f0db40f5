"""Boxes and IoU of arrays that a program holds: NumPy arrays, lists and tensors alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np

from wsol.errors import UserError
from wsol.evaluation.boxes import box_at, to_image
from wsol.evaluation.contours.iou import iou_matrix
from wsol.evaluation.contours.sweep import all_contour_boxes
from wsol.evaluation.score_map import quantise
from wsol.scores.protocol import PROTOCOLS
from wsol.scores.thresholds import cut_of

if TYPE_CHECKING:
    from torch import Tensor

    ArrayLike: TypeAlias = np.ndarray | Tensor | Sequence[Any]
else:
    ArrayLike: TypeAlias = Any


def as_array(values: ArrayLike) -> np.ndarray:
    """The values as a NumPy array; tensors are taken from their device, without their gradients."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()  # type: ignore[union-attr]
        values = values.float() if str(values.dtype) == "torch.bfloat16" else values  # type: ignore[union-attr]
    try:
        return np.asarray(values)
    except ValueError as error:
        raise UserError(f"not one array of numbers: {error}") from None


def check_threshold(threshold: float) -> None:
    """``UserError`` unless it is a number in [0, 1)."""
    if isinstance(threshold, bool) or not isinstance(threshold, int | float | np.number):
        raise UserError(f"threshold is {threshold!r}: give a number in [0, 1)")
    if not 0 <= threshold < 1:
        raise UserError(f"threshold {threshold} is not in [0, 1)")


def image_size(size: ArrayLike) -> tuple[int, int]:
    """(height, width) as two whole numbers; ``UserError`` where it is anything else."""
    sides = as_array(size)
    if sides.shape != (2,) or sides.dtype.kind not in "iu" or sides.min() < 1:
        raise UserError(f"size is {size!r}: give (height, width), two whole numbers, 1 or more")
    return int(sides[0]), int(sides[1])


def box(
    score_map: ArrayLike, threshold: float = 0.2, size: tuple[int, int] | None = None
) -> np.ndarray | None:
    """The box of the largest contour of a score map: what a localizer says of the object.

    Args:
        score_map: (h, w), any range; it is shifted and scaled to [0, 1].
        threshold: in [0, 1); the contour is that of the pixels above it. 0.2 is the CAM paper's.
        size: (height, width) of the image. The box is then found as the protocol ``halfopen`` finds it,
            on the map resized to 224 x 224, and given in pixels of the image; without it in pixels of
            the map, which is not resized.

    Returns:
        (4,) float64 half-open ``x0, y0, x1, y1``; None where the map is constant.

    Examples:
        >>> import wsol
        >>> score_map = [[0, 0, 0, 0], [0, 9, 8, 0], [0, 7, 9, 0], [0, 0, 0, 0]]
        >>> wsol.box(score_map).tolist()
        [1.0, 1.0, 3.0, 3.0]
        >>> wsol.box(score_map, threshold=0.95).tolist()
        [1.0, 1.0, 3.0, 3.0]
    """
    map_u8, frame, size = _quantised(score_map, threshold, size)
    found = to_image(box_at(map_u8, cut_of(threshold, int(map_u8.max())))[None], frame, size)[0]
    return found.astype(np.float64) if found[2] > found[0] else None


def boxes(
    score_map: ArrayLike, threshold: float = 0.2, size: tuple[int, int] | None = None
) -> np.ndarray:
    """The boxes of all contours of a score map, largest first; arguments as of `box`.

    Returns:
        (n, 4) float64 half-open ``x0, y0, x1, y1``; those of holes in a contour are among them, as in
        MaxBoxAccV2 (Choe et al., CVPR 2020).

    Examples:
        >>> import wsol
        >>> wsol.boxes([[9, 0, 0, 8], [0, 0, 0, 8]]).tolist()
        [[3.0, 0.0, 4.0, 2.0], [0.0, 0.0, 1.0, 1.0]]
    """
    map_u8, frame, size = _quantised(score_map, threshold, size)
    living, first, last = all_contour_boxes(map_u8)
    cut = cut_of(threshold, int(map_u8.max()))
    found = np.unique(living[(first <= cut) & (cut <= last)], axis=0)
    areas = (found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1])
    return to_image(found[np.argsort(-areas, kind="stable")], frame, size).astype(np.float64)


@overload
def iou(a: Sequence[float], b: Sequence[float]) -> float: ...
@overload
def iou(a: ArrayLike, b: ArrayLike) -> float | np.ndarray: ...
def iou(a: ArrayLike, b: ArrayLike) -> float | np.ndarray:
    """Intersection over union of half-open boxes, or of masks.

    Args:
        a: boxes (n, 4) or one box (4,), ``x0, y0, x1, y1``; or a mask (h, w) of bool.
        b: the same, (m, 4) or (4,); or a mask of the same size.

    Returns:
        float64 (n, m) in [0, 1]; a float where both are one box, or masks.

    Raises:
        UserError: shapes that are neither, masks of two sizes.

    Examples:
        >>> import wsol
        >>> wsol.iou([0, 0, 2, 2], [1, 0, 3, 2])
        0.3333333333333333
        >>> wsol.iou([[0, 0, 2, 2]], [[0, 0, 2, 2], [5, 5, 6, 6]]).tolist()
        [[1.0, 0.0]]
    """
    first, second = as_array(a), as_array(b)
    if first.dtype == bool and second.dtype == bool:
        if first.shape != second.shape or first.ndim != 2:
            raise UserError(f"masks of shapes {first.shape} and {second.shape}: give two (h, w) alike")
        union = np.count_nonzero(first | second)
        return np.count_nonzero(first & second) / union if union else 0.0
    for values in (first, second):
        if values.shape[-1:] != (4,) or values.ndim > 2 or values.dtype.kind not in "fiu":
            raise UserError(
                f"boxes have shape {values.shape}, dtype {values.dtype}: give numbers (n, 4) or (4,), "
                "or two masks of bool"
            )
        corners = values.reshape(-1, 4)
        if not np.isfinite(corners).all() or (corners[:, 2:] < corners[:, :2]).any():
            raise UserError("a box has x1 < x0, y1 < y0 or no number: write x0, y0, x1, y1")
    matrix = iou_matrix(first, second)
    return float(matrix[0, 0]) if first.ndim == second.ndim == 1 else matrix


def _quantised(
    score_map: ArrayLike, threshold: float, size: tuple[int, int] | None
) -> tuple[np.ndarray, tuple[int, int], tuple[int, int]]:
    """The map in 8 bits, the frame it is in, the size that boxes are given in."""
    check_threshold(threshold)
    values = as_array(score_map)
    if values.ndim != 2:
        raise UserError(f"score map has shape {values.shape}: give one (height, width) array")
    own = (values.shape[0], values.shape[1])
    size = None if size is None else image_size(size)
    frame = own if size is None else PROTOCOLS.get("halfopen").frame(size)
    return quantise(values, frame), frame, own if size is None else size
