"""``per_image.csv``: what was chosen and found on every image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from wsol.evaluation.boxes import to_image
from wsol.evaluation.contours.iou import iou_matrix
from wsol.evaluation.split_scores import Scores
from wsol.files.csv_table import write_csv
from wsol.scores.iou_codes import ALL_UNITS, CUTS, SINGLE_UNITS
from wsol.scores.per_image import PerImage
from wsol.scores.pixel_counts import pooled_iou
from wsol.scores.protocol import Protocol, ThresholdPolicy
from wsol.scores.samples import Annotation
from wsol.scores.thresholds import columns_at, cut_of

FLAG = {1: "1", 0: "0", -1: ""}


# Whose threshold is the chosen one: boxes' before masks', and that of the policy before oracle's own.
CHOOSING = ("gt_known_loc@0.5", "mean_iou", "rubinstein_j", "peak_iou")


class Truth(NamedTuple):
    """What the table says of the truth: annotations by image id, and the names of their labels."""

    annotations: Mapping[str, Annotation]
    classes: Sequence[str]


def write_per_image(
    path: Path | str,
    per_image: PerImage,
    scores: Scores,
    protocol: Protocol,
    truth: Truth | None = None,
) -> Path:
    """Write the table whole or not at all; a row an image, in the annotations' order.

    Columns: ``image_id, label``; ``x0, y0, x1, y1``, the single-contour box at `chosen_threshold`, in
    half-open pixels of the original image; ``iou``, its best IoU with a true box;
    ``iou_all``, the best of any contour's box there; ``correct@d``, whether ``iou`` reaches d at
    max_box_acc@d's own threshold; ``correct_v2@d``, the same over all contours at max_box_acc_v2@d's;
    ``top1, top5``, whether the class is right; ``mask_iou``, the IoU of map and true mask at
    `chosen_threshold`; ``class``, the label's name; ``true_x0 .. true_y1``, the true box that fits the
    image's box best, half-open. What was not computed or not given is empty, and so is the box where
    boxes were given instead of a map.
    """
    correct = [f"correct{kind}@{iou:g}" for kind in ("", "_v2") for iou in protocol.ious]
    box = ["x0", "y0", "x1", "y1"]
    columns = ["image_id", "label", *box, "iou", "iou_all", *correct, "top1", "top5", "mask_iou"]
    columns += ["class", *(f"true_{corner}" for corner in box)]
    return write_csv(path, columns, _rows(per_image, scores, protocol, truth or Truth({}, ())))


def chosen_threshold(scores: Scores) -> float | None:
    """The threshold in [0, 1) that an image's box and mask are shown at.

    That of gt_known_loc; where no box is scored, the masks'; else the one that was given. None where
    there was nothing to choose one on.
    """
    values = scores.threshold.get("values") or {}
    for key in CHOOSING:
        if key in values:
            return values[key]
    return ThresholdPolicy.parse(scores.threshold["policy"]).value


def chosen_box(per_image: PerImage, row: int, threshold: float, protocol: Protocol) -> np.ndarray | None:
    """The single-contour box (4,) of an image, float64 half-open original pixels; None without one."""
    boxes = per_image.boxes_of(row)
    if boxes is None:
        return None
    height, width = map(int, per_image.sizes[row])
    # A normalised map's maximum is 255; a constant one has no box at any cut.
    box = boxes[cut_of(threshold, CUTS - 1)][None].astype(np.float64)
    return to_image(box, protocol.frame((height, width)), (height, width))[0]


def chosen_mask_iou(per_image: PerImage, row: int, threshold: float, protocol: Protocol) -> float | None:
    """IoU in [0, 1] of an image's map at ``threshold`` with its mask; None where there is none."""
    if per_image.positives is None or per_image.negatives is None:
        return None
    (column,) = columns_at(protocol.thresholds, np.array([threshold]))
    iou = float(pooled_iou(per_image.positives[row], per_image.negatives[row])[column]) / 100
    return None if np.isnan(iou) else iou


def _rows(per_image: PerImage, scores: Scores, protocol: Protocol, truth: Truth) -> Iterator[list[str]]:
    threshold = chosen_threshold(scores)
    without_box = [""] * (2 + 2 * len(protocol.ious))
    of_boxes = _box_cells(per_image, scores, protocol) if per_image.has("boxes") else {}
    for row, image_id in enumerate(per_image.image_ids):
        box = None if threshold is None else chosen_box(per_image, row, threshold, protocol)
        mask_iou = None if threshold is None else chosen_mask_iou(per_image, row, threshold, protocol)
        yield [
            *(str(image_id), str(per_image.labels[row])),
            *([""] * 4 if box is None else [f"{value:.2f}" for value in box]),
            *of_boxes.get(row, without_box),
            *(FLAG[int(per_image.top1[row])], FLAG[int(per_image.top5[row])]),
            "" if mask_iou is None else f"{mask_iou:.4f}",
            *_true_cells(truth, str(image_id), int(per_image.labels[row]), box),
        ]


def _true_cells(truth: Truth, image_id: str, label: int, box: np.ndarray | None) -> list[str]:
    """The cells from ``class`` on; ``box`` is the one that was found, if one was."""
    name = truth.classes[label] if 0 <= label < len(truth.classes) else ""
    annotation = truth.annotations.get(image_id)
    if annotation is None or not len(annotation.boxes):
        return [name, *[""] * 4]
    fits = 0 if box is None else int(iou_matrix(annotation.boxes, box[None])[:, 0].argmax())
    return [name, *(f"{value:.2f}" for value in annotation.boxes[fits])]


def _box_cells(per_image: PerImage, scores: Scores, protocol: Protocol) -> dict[int, tuple[str, ...]]:
    """The cells from ``iou`` to the last ``correct_v2`` of every row with a true box."""
    thresholds = scores.threshold["values"]
    known = thresholds["gt_known_loc@0.5"]
    columns = [
        [f"{code / SINGLE_UNITS:.4f}" for code in per_image.codes("single", known)],
        [f"{code / ALL_UNITS:.2f}" for code in per_image.codes("all", known)],
    ]
    for key, contours in (("max_box_acc", "single"), ("max_box_acc_v2", "all")):
        for iou in protocol.ious:
            right = per_image.right(contours, iou, thresholds[f"{key}@{iou:g}"])
            columns.append([str(int(flag)) for flag in right])
    return dict(zip(per_image.boxed.tolist(), zip(*columns, strict=True), strict=True))
