"""``per_image.csv``: what was chosen and found on every image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from wsol.evaluation.boxes import to_image
from wsol.evaluation.metrics import Scores
from wsol.files.csv_table import write_csv
from wsol.scores.curves import pooled_iou
from wsol.scores.per_image import ALL_UNITS, CUTS, SINGLE_UNITS, PerImage
from wsol.scores.protocol import Protocol, ThresholdPolicy
from wsol.scores.threshold_families import columns_at
from wsol.scores.thresholds import cut_of

FLAG = {1: "1", 0: "0", -1: ""}


# Whose threshold is the chosen one: boxes' before masks', and that of the policy before oracle's own.
CHOOSING = ("gt_known_loc@0.5", "mean_iou", "rubinstein_j", "peak_iou")


def write_per_image(path: Path | str, per_image: PerImage, scores: Scores, protocol: Protocol) -> Path:
    """Write the table whole or not at all; a row an image, in the annotations' order.

    Columns: ``image_id, label``; ``x0, y0, x1, y1``, the single-contour box at `chosen_threshold`, in
    half-open pixels of the original image; ``iou``, its best IoU with a true box;
    ``iou_all``, the best of any contour's box there; ``correct@d``, whether ``iou`` reaches d at
    max_box_acc@d's own threshold; ``correct_v2@d``, the same over all contours at max_box_acc_v2@d's;
    ``top1, top5``, whether the class is right; ``mask_iou``, the IoU of map and true mask at
    `chosen_threshold`. What was not computed is empty, and so is the box where boxes were given
    instead of a map.
    """
    deltas = [f"{percent / 100:g}" for percent in protocol.iou_percents]
    correct = [f"correct{kind}@{delta}" for kind in ("", "_v2") for delta in deltas]
    box = ["x0", "y0", "x1", "y1"]
    columns = ["image_id", "label", *box, "iou", "iou_all", *correct, "top1", "top5", "mask_iou"]
    return write_csv(path, columns, _rows(per_image, scores, protocol))


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
    (column,) = columns_at(protocol, threshold)
    iou = float(pooled_iou(per_image.positives[row], per_image.negatives[row])[column]) / 100
    return None if np.isnan(iou) else iou


def _rows(per_image: PerImage, scores: Scores, protocol: Protocol) -> Iterator[list[str]]:
    threshold = chosen_threshold(scores)
    for row, image_id in enumerate(per_image.image_ids):
        box = None if threshold is None else chosen_box(per_image, row, threshold, protocol)
        mask_iou = None if threshold is None else chosen_mask_iou(per_image, row, threshold, protocol)
        yield [
            *(str(image_id), str(per_image.labels[row])),
            *([""] * 4 if box is None else [f"{value:.2f}" for value in box]),
            *_box_scores(per_image, row, scores.threshold["values"], protocol),
            *(FLAG[int(per_image.top1[row])], FLAG[int(per_image.top5[row])]),
            "" if mask_iou is None else f"{mask_iou:.4f}",
        ]


def _box_scores(
    per_image: PerImage, row: int, thresholds: Mapping[str, float], protocol: Protocol
) -> list[str]:
    """The cells from ``iou`` to the last ``correct_v2``."""
    if per_image.single is None or per_image.all is None or not per_image.has_box[row]:
        return [""] * (2 + 2 * len(protocol.iou_percents))
    top = int(per_image.top[row])
    single, both = per_image.single[row], per_image.all[row]
    cut = cut_of(thresholds["gt_known_loc@0.5"], top)
    cells = [f"{single[cut] / SINGLE_UNITS:.4f}", f"{both[cut] / ALL_UNITS:.2f}"]
    for key, codes, units in (
        ("max_box_acc", single, SINGLE_UNITS),
        ("max_box_acc_v2", both, ALL_UNITS),
    ):
        for percent in protocol.iou_percents:
            cut = cut_of(thresholds[f"{key}@{percent / 100:g}"], top)
            cells.append(str(int(codes[cut] >= percent * units // 100)))
    return cells
