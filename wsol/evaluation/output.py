"""``per_image.csv``: what was chosen and found on every image."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from wsol.atomic import write_text
from wsol.evaluation.boxes import to_image
from wsol.evaluation.metrics import Scores
from wsol.evaluation.per_image import ALL_UNITS, SINGLE_UNITS, PerImage
from wsol.evaluation.protocol import Protocol
from wsol.evaluation.sweep import cut_of

FLAG = {1: "1", 0: "0", -1: ""}


def write_per_image(path: Path | str, per_image: PerImage, scores: Scores, protocol: Protocol) -> Path:
    """Write the table whole or not at all; a row an image, in the annotations' order.

    Columns: ``image_id, label``; ``x0, y0, x1, y1``, the single-contour box at the threshold of
    gt_known_loc, in half-open pixels of the original image; ``iou``, its best IoU with a true box;
    ``iou_all``, the best of any contour's box there; ``correct@d``, whether ``iou`` reaches d at
    max_box_acc@d's own threshold; ``correct_v2@d``, the same over all contours at max_box_acc_v2@d's;
    ``top1, top5``, whether the class is right. What was not computed is
    empty, and so is the box where boxes were given instead of a map.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    deltas = [f"{percent / 100:g}" for percent in protocol.iou_percents]
    correct = [f"correct{kind}@{delta}" for kind in ("", "_v2") for delta in deltas]
    writer.writerow(
        ["image_id", "label", "x0", "y0", "x1", "y1", "iou", "iou_all", *correct, "top1", "top5"]
    )
    writer.writerows(_rows(per_image, scores.threshold["values"], protocol))
    return write_text(path, buffer.getvalue())


def chosen_box(per_image: PerImage, row: int, threshold: float, protocol: Protocol) -> np.ndarray | None:
    """The single-contour box (4,) of an image, float64 half-open original pixels; None without one."""
    boxes = per_image.boxes_of(row)
    if boxes is None:
        return None
    height, width = map(int, per_image.sizes[row])
    box = boxes[cut_of(threshold, int(per_image.top[row]))][None].astype(np.float64)
    return to_image(box, protocol.frame((height, width)), (height, width))[0]


def _rows(
    per_image: PerImage, thresholds: Mapping[str, float], protocol: Protocol
) -> Iterator[list[str]]:
    known = thresholds.get("gt_known_loc@0.5")
    for row, image_id in enumerate(per_image.image_ids):
        cells = [str(image_id), str(per_image.labels[row])]
        box = None if known is None else chosen_box(per_image, row, known, protocol)
        cells += [""] * 4 if box is None else [f"{value:.2f}" for value in box]
        if per_image.single is None or per_image.all is None or not per_image.has_box[row]:
            cells += [""] * (2 + 2 * len(protocol.iou_percents))
        else:
            top = int(per_image.top[row])
            single, both = per_image.single[row], per_image.all[row]
            cut = cut_of(known or 0.0, top)
            cells += [f"{single[cut] / SINGLE_UNITS:.4f}", f"{both[cut] / ALL_UNITS:.2f}"]
            for key, codes, units in (
                ("max_box_acc", single, SINGLE_UNITS),
                ("max_box_acc_v2", both, ALL_UNITS),
            ):
                for percent in protocol.iou_percents:
                    cut = cut_of(thresholds[f"{key}@{percent / 100:g}"], top)
                    cells.append(str(int(codes[cut] >= percent * units // 100)))
        yield [*cells, FLAG[int(per_image.top1[row])], FLAG[int(per_image.top5[row])]]
