"""One prediction against one annotation: fills the image's row of the per-image arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wsol.errors import UserError
from wsol.evaluation.boxes import scale_boxes
from wsol.evaluation.contours.iou import best_iou_of_all, best_iou_of_largest, iou_matrix
from wsol.evaluation.contours.sweep import contour_boxes, largest_contour_boxes
from wsol.evaluation.masks import pixel_histograms, resize_mask, true_mask
from wsol.evaluation.readings import Reading, ScoredMap
from wsol.evaluation.score_map import normalise
from wsol.scores.iou_codes import ALL_UNITS, CUTS, SINGLE_UNITS, encode_iou
from wsol.scores.packed_boxes import pack_boxes
from wsol.scores.per_image import UNKNOWN, PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.samples import Annotation, Prediction


def score_image(
    per_image: PerImage,
    row: int,
    prediction: Prediction,
    annotation: Annotation,
    protocol: Protocol,
    readings: Sequence[Reading] = (),
) -> list[str]:
    """Score an image into row ``row``; returns under which counts its map goes.

    A prediction carries a score map, or a mask, or boxes (best first), read in that order. A mask or
    boxes are the same at every threshold. ``readings`` are what else is read of it.
    """
    prediction = prediction.at_size(annotation.size)
    per_image.top1[row], per_image.top5[row] = _classes(prediction, annotation)
    frame = protocol.frame(annotation.size)
    normalised: np.ndarray | None = None
    odd = [] if prediction.label == annotation.label else ["maps_of_other_class"]
    if prediction.score_map is not None:
        odd += oddities(prediction)
        normalised = _normalised(prediction.score_map, prediction.image_id, frame, protocol)
        _score_map(per_image, row, normalised, annotation, protocol)
    elif prediction.mask is not None:
        # Outside the mask lies below every threshold, which a score of 0 would not.
        inside = resize_mask(np.asarray(prediction.mask), frame)
        normalised = np.where(inside, 1.0, -1.0)
        _score_map(per_image, row, normalised, annotation, protocol)
    elif prediction.boxes is not None:
        _score_boxes(per_image, row, prediction.boxes, annotation, protocol)
    else:
        raise UserError(f"{prediction.image_id}: the prediction has no score map, no mask and no boxes")
    scored = ScoredMap(prediction, annotation, protocol, normalised)
    for reading in readings:
        for name, value in reading.read(scored).items():
            per_image.readings[name][row] = value
    return odd


def oddities(prediction: Prediction) -> list[str]:
    """Under which counts a score map goes; `wsol.scores.protocol` says what is done with each."""
    score_map = np.asarray(prediction.score_map)
    if score_map.dtype.kind not in "fiub" or not score_map.size:
        return []  # refused where it is resized
    if not np.isfinite(score_map).all():
        return ["nan_maps" if np.isnan(score_map).any() else "infinite_maps"]
    low, high = score_map.min(), score_map.max()
    return ["constant_maps"] * bool(low == high) + ["negative_maps"] * bool(low < 0)


def best_iou(boxes: np.ndarray, true: np.ndarray, frame: tuple[int, int], inclusive: bool) -> np.ndarray:
    """The best IoU (n,) of each half-open box (n, 4) of a frame with a true box (g, 4), g >= 1."""
    if not inclusive:
        return iou_matrix(boxes, true, "halfopen").max(axis=1)
    height, width = frame
    ends = np.minimum(boxes, np.array([width, height, width - 1, height - 1]))
    return iou_matrix(ends, true, "inclusive").max(axis=1)


def _score_map(
    per_image: PerImage, row: int, normalised: np.ndarray, annotation: Annotation, protocol: Protocol
) -> None:
    frame = protocol.frame(annotation.size)
    map_u8 = (np.maximum(normalised, 0) * 255).astype(np.uint8)
    if per_image.single is not None and per_image.all is not None and per_image.has_box[row]:
        true = _true_boxes(annotation, protocol)
        boxes, living = contour_boxes(map_u8)
        per_image.top[row] = map_u8.max()
        per_image.single[row] = encode_iou(
            best_iou_of_largest(boxes, true, frame, protocol.inclusive), SINGLE_UNITS
        )
        per_image.all[row] = encode_iou(
            best_iou_of_all(living, true, frame, protocol.inclusive), ALL_UNITS
        )
    else:
        boxes = largest_contour_boxes(map_u8)
    if per_image.boxes is not None:
        per_image.boxes[row] = pack_boxes(boxes)
    _score_pixels(per_image, row, normalised, annotation, protocol)


def _score_boxes(
    per_image: PerImage, row: int, boxes: np.ndarray, annotation: Annotation, protocol: Protocol
) -> None:
    frame = protocol.frame(annotation.size)
    boxes = scale_boxes(boxes, annotation.size, frame, truncate=protocol.inclusive)
    if per_image.single is not None and per_image.all is not None and per_image.has_box[row]:
        iou = best_iou(boxes, _true_boxes(annotation, protocol), frame, protocol.inclusive)
        per_image.single[row] = encode_iou(np.full(CUTS, iou[0] if len(iou) else 0.0), SINGLE_UNITS)
        per_image.all[row] = encode_iou(np.full(CUTS, iou.max(initial=0.0)), ALL_UNITS)
    if per_image.positives is not None:
        inside = np.full(frame, -1.0)
        for x0, y0, x1, y1 in np.rint(boxes).astype(int).clip(0):
            inside[y0:y1, x0:x1] = 1.0
        _score_pixels(per_image, row, inside, annotation, protocol)


def _score_pixels(
    per_image: PerImage, row: int, normalised: np.ndarray, annotation: Annotation, protocol: Protocol
) -> None:
    if per_image.positives is not None and per_image.negatives is not None:
        mask = true_mask(annotation, normalised.shape)
        per_image.positives[row], per_image.negatives[row] = pixel_histograms(
            normalised, mask, protocol.bin_edges
        )


def _true_boxes(annotation: Annotation, protocol: Protocol) -> np.ndarray:
    boxes = annotation.source_boxes if protocol.source_boxes else annotation.boxes
    return scale_boxes(boxes, annotation.size, protocol.frame(annotation.size), protocol.inclusive)


def _classes(prediction: Prediction, annotation: Annotation) -> tuple[int, int]:
    # Of an image without a label nothing is right: its label, -1, is also a top-5 class the set lacks.
    # Of a query's image several classes are right, which is told by a reading of its own.
    if not prediction.top5 or annotation.label < 0 or annotation.present:
        return UNKNOWN, UNKNOWN
    return int(prediction.top5[0] == annotation.label), int(annotation.label in prediction.top5[:5])


def _normalised(
    score_map: np.ndarray, image_id: str, frame: tuple[int, int], protocol: Protocol
) -> np.ndarray:
    try:
        return normalise(score_map, frame, protocol.interpolation)
    except UserError as error:
        raise UserError(f"{image_id}: {error}") from error
