"""Per-image arrays of maps, boxes and masks that a program holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wsol.errors import UserError
from wsol.evaluation.evaluator import collect
from wsol.evaluation.in_memory.boxes_and_iou import ArrayLike, as_array, image_size
from wsol.evaluation.masks import pixel_histograms, resize_mask
from wsol.evaluation.score_map import normalise
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.samples import Annotation, Prediction


def listed(values: Sequence[ArrayLike] | ArrayLike, what: str) -> Sequence[ArrayLike]:
    """The values one by one; ``UserError`` where there is nothing to go through."""
    if values is None or isinstance(values, str) or not hasattr(values, "__len__"):
        raise UserError(f"{what} are {values!r}: give an array or a list, one {what[:-1]} an image")
    return values  # type: ignore[return-value]


def of_boxes(
    maps: Sequence[ArrayLike] | ArrayLike,
    boxes: Sequence[ArrayLike] | ArrayLike,
    size: tuple[int, int] | Sequence[tuple[int, int]] | None,
    protocol: Protocol,
) -> PerImage:
    """Per-image arrays of maps and boxes; images are called by their number."""
    arrays = [as_array(score_map) for score_map in listed(maps, "maps")]
    true = [_true_boxes(each, number) for number, each in enumerate(listed(boxes, "boxes"))]
    if len(arrays) != len(true):
        raise UserError(f"{len(arrays)} maps and {len(true)} images with boxes: give as many of both")
    sizes = _sizes(size, arrays)
    for number, (each, (height, width)) in enumerate(zip(true, sizes, strict=True)):
        if len(each) and (each.min() < 0 or (each > [width, height, width, height]).any()):
            raise UserError(
                f"image {number}: a box leaves the image of {width} x {height} pixels; "
                "say size=(height, width) where boxes are in pixels of larger images"
            )
    annotations = [
        Annotation(str(number), 0, own, each, each)
        for number, (own, each) in enumerate(zip(sizes, true, strict=True))
    ]
    predictions = [Prediction(str(number), 0, score_map=each) for number, each in enumerate(arrays)]
    return collect(predictions, annotations, protocol, pixels=False)


def _sizes(
    size: tuple[int, int] | Sequence[tuple[int, int]] | None, maps: Sequence[np.ndarray]
) -> list[tuple[int, int]]:
    """(height, width) of each image."""
    for number, each in enumerate(maps):
        if each.ndim != 2:
            raise UserError(
                f"map {number} has shape {each.shape}: give one (height, width) map an image"
            )
    if size is None:
        return [(each.shape[0], each.shape[1]) for each in maps]
    if as_array(size).ndim < 2:
        return [image_size(size)] * len(maps)
    if len(size) != len(maps):
        raise UserError(f"{len(size)} sizes of {len(maps)} images: give one, or one an image")
    return [image_size(each) for each in size]  # type: ignore[arg-type]


def _true_boxes(boxes: ArrayLike, number: int) -> np.ndarray:
    """The boxes (g, 4) of image ``number``; ``UserError`` where they are no boxes, or empty ones."""
    values = as_array(boxes)
    if values.dtype.kind not in "fiu" or values.shape[-1:] != (4,) or values.ndim > 2:
        raise UserError(
            f"image {number}: boxes have shape {values.shape}, dtype {values.dtype}: give "
            "numbers (g, 4) or (4,)"
        )
    values = values.astype(np.float32).reshape(-1, 4)
    if not np.isfinite(values).all() or (values[:, 2:] <= values[:, :2]).any():
        raise UserError(f"image {number}: a box is empty: x0, y0, x1, y1 with x1 > x0 and y1 > y0")
    return values


def of_masks(
    maps: Sequence[ArrayLike] | ArrayLike,
    masks: Sequence[ArrayLike] | ArrayLike,
    protocol: Protocol,
) -> PerImage:
    """Per-image arrays of maps and masks; images are called by their number."""
    arrays = [as_array(score_map) for score_map in listed(maps, "maps")]
    true = [as_array(mask) for mask in listed(masks, "masks")]
    if len(arrays) != len(true):
        raise UserError(f"{len(arrays)} maps and {len(true)} masks: give as many of both")
    annotations = []
    for number, mask in enumerate(true):
        if mask.ndim != 2:
            raise UserError(f"mask {number} has shape {mask.shape}: give one (height, width) an image")
        if mask.dtype.kind not in "biuf" or not np.isin(mask, (0, mask.max(initial=0))).all():
            raise UserError(
                f"mask {number} has more than two values, or none that are numbers: give 0 for "
                "background and one other value for the object"
            )
        annotations.append(Annotation(str(number), 0, (mask.shape[0], mask.shape[1])))
    per_image = PerImage.empty(annotations, protocol, True)
    assert per_image.positives is not None and per_image.negatives is not None
    for row, (score_map, mask) in enumerate(zip(arrays, true, strict=True)):
        frame = protocol.frame((mask.shape[0], mask.shape[1]))
        per_image.positives[row], per_image.negatives[row] = pixel_histograms(
            normalise(score_map, frame, protocol.interpolation),
            resize_mask(mask != 0, frame).astype(np.uint8),
            protocol.bin_edges,
        )
    return per_image
