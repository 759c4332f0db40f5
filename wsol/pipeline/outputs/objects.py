"""Several objects an image: what the boxes of a map's contours find of them, one to one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from wsol.evaluation.boxes import to_image
from wsol.evaluation.evaluator import Evaluation
from wsol.evaluation.objects.figures import Group, object_figures
from wsol.evaluation.objects.image_objects import ImageObjects, pair_iou
from wsol.evaluation.objects.matching import SCORED_LEVELS, TABLE_LEVEL, match
from wsol.evaluation.objects.object_table import COLUMNS, object_rows
from wsol.evaluation.objects.tally import Tally
from wsol.evaluation.per_image_table import chosen_threshold
from wsol.evaluation.score_map import quantise
from wsol.files.csv_table import write_csv
from wsol.pipeline.outputs.pictures import KeptPredictions
from wsol.progress import say, world_size
from wsol.scores.protocol import Protocol
from wsol.scores.thresholds import cut_of


def write_objects(
    kept: KeptPredictions, evaluation: Evaluation, protocol: Protocol, output: Path
) -> Group | None:
    """Write ``objects.csv`` where an image has several true boxes, and say what was found.

    Each map is cut at the table's threshold, and every contour gives a box (`contour_boxes`); boxes are
    matched with the true ones one to one, see `wsol.evaluation.objects.matching`. A map is of one class:
    classes are not compared. Nothing is written where no threshold was chosen, or by several processes,
    of which each holds the maps of its own images only.
    """
    annotations = kept.split.annotations()
    threshold = chosen_threshold(evaluation)
    if threshold is None or all(len(each.boxes) < 2 for each in annotations.values()):
        return None
    if world_size() > 1:
        say("note: objects.csv is written by one process only, and left out here")
        return None
    tally = Tally()
    place = int(np.argmin(np.abs(SCORED_LEVELS - TABLE_LEVEL)))

    def rows() -> Iterator[list[str]]:
        for image_id, annotation in annotations.items():
            prediction = kept.predictions.get(image_id)
            score_map = None if prediction is None else prediction.score_map
            boxes, scores = np.zeros((0, 4)), np.zeros(0)
            if score_map is not None:
                boxes, scores = contour_boxes(score_map, annotation.size, threshold, protocol)
            sides = ImageObjects.of_boxes(boxes, scores=scores), ImageObjects.of_boxes(annotation.boxes)
            iou = pair_iou(*sides)
            matches = match(*sides, iou, SCORED_LEVELS)
            tally.add(*sides, matches)
            label = -1 if prediction is None else prediction.label
            names = [
                [_name(kept, one)] * len(side)
                for one, side in zip((label, annotation.label), sides, strict=True)
            ]
            yield from object_rows(image_id, sides, iou, matches[place], (names[0], names[1]))

    write_csv(output / "objects.csv", COLUMNS, rows())
    found = object_figures(tally.tallied(), [""], SCORED_LEVELS, scored=True).everything
    shown = ", ".join(_shown(found, key) for key in ("recall@0.5", "precision@0.5", "ap@0.5"))
    say(
        f"{found.objects} objects and {found.predictions} boxes of contours one to one: {shown} "
        "(each in objects.csv; a box's score is the map's peak in it)"
    )
    return found


def contour_boxes(
    score_map: np.ndarray, size: tuple[int, int], threshold: float, protocol: Protocol
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (n, 4) of a map's contours at ``threshold``, half-open original pixels, and scores (n,).

    ``size`` is the image's (height, width). Contours are the 8-connected regions above the threshold;
    holes, which MaxBoxAccV2 counts too, are no objects. The score in (0, 1] is the peak of the
    normalised map in the box: our reading, since a score map tells no score of a box.
    """
    frame = protocol.frame(size)
    map_u8 = quantise(score_map, frame, protocol.interpolation)
    above = (map_u8 > cut_of(threshold, int(map_u8.max()))).astype(np.uint8)
    _, _, found, _ = cv2.connectedComponentsWithStats(above, connectivity=8)
    x, y, width, height = found[1:, :4].T
    boxes = np.stack([x, y, x + width, y + height], axis=1)
    peaks = [int(map_u8[y0:y1, x0:x1].max()) for x0, y0, x1, y1 in boxes.tolist()]
    return to_image(boxes, frame, size), np.array(peaks, np.float64) / 255


def _name(kept: KeptPredictions, label: int) -> str:
    return kept.split.classes[label] if 0 <= label < len(kept.split.classes) else ""


def _shown(group: Group, key: str) -> str:
    figure = group.figures[key]
    if figure["value"] is None:
        return f"{key} -"
    bounds = "" if figure["low"] is None else f" [{figure['low']:.2f}, {figure['high']:.2f}]"
    return f"{key} {figure['value']:.2f}{bounds}"
