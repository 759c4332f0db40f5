"""How the box moves from step to step of feedback attention: a table, and a picture of some images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wsol.data.manifest.manifest import ManifestSplit
from wsol.evaluation.contours.iou import iou_matrix
from wsol.evaluation.evaluator import Evaluation
from wsol.evaluation.per_image_table import chosen_box, chosen_threshold
from wsol.files.csv_table import write_csv
from wsol.files.pictures.images import open_image
from wsol.files.pictures.picture_files import picture_png
from wsol.files.writing.atomic import write_bytes
from wsol.maps.cam_at_step import ClassMapAtStep
from wsol.maps.model_sources import model_maps
from wsol.pipeline.inputs import annotated_split
from wsol.pipeline.outputs.pictures import KeptPredictions
from wsol.pipeline.outputs.publish import Outputs
from wsol.progress import is_first_rank, say, world_size
from wsol.report.overlay import draw_overlay

if TYPE_CHECKING:
    from wsol.pipeline.evaluate import ScoringJob

# A box lies on the object that it overlaps most, on none below this IoU.
ON = 0.3
SIDE = 224
SHOWN = 8  # images, where nobody says how many are drawn

COLUMNS = (
    *("from", "to", "images", "max_box_acc@0.5_from", "max_box_acc@0.5_to", "iou", "shift"),
    *("same", "another", "found", "lost", "none"),
)


@dataclass(frozen=True)
class StepBoxes:
    """Of one step the box of every image, (N, 4) half-open pixels of the original image, NaN without.

    ``on`` (N,) are the objects they lie on, -1 on none; ``accuracy`` is MaxBoxAcc .5, percent.
    """

    name: str
    boxes: np.ndarray
    on: np.ndarray
    accuracy: float | None


def write_steps(job: ScoringJob, evaluations: Mapping[str, Evaluation], outputs: Outputs) -> None:
    """Write ``steps.csv`` and ``steps.png`` to the output where several steps were scored; say so."""
    steps = _steps(evaluations)
    if outputs.output is None or len(steps) < 2 or not job.protocol.boxes:
        return
    split = annotated_split(job.manifest, job.settings.split)
    found = [step_boxes(name, evaluations[name], job, split) for name in steps]
    if is_first_rank():
        sizes = evaluations[steps[0]].per_image.sizes
        say(f"steps: {write_csv(Path(outputs.output, 'steps.csv'), COLUMNS, moves(found, sizes))}")
    if world_size() == 1:  # each process would hold the maps of its own images
        picture = _picture(job, split, found, outputs.overlays or SHOWN)
        say(f"steps: {write_bytes(Path(outputs.output, 'steps.png'), picture_png(picture))}")


def step_boxes(name: str, evaluation: Evaluation, job: ScoringJob, split: ManifestSplit) -> StepBoxes:
    """The boxes of one step, cut at that step's own threshold; see `chosen_threshold`."""
    per_image, threshold = evaluation.per_image, chosen_threshold(evaluation)
    boxes = np.full((len(per_image), 4), np.nan)
    # Of a query's image all objects count, not only those of its class.
    images = job.manifest.split(job.settings.split).annotations()
    annotations = split.annotations()
    on = np.full(len(per_image), -1)
    for row, image_id in enumerate(per_image.image_ids.tolist()):
        box = None if threshold is None else chosen_box(per_image, row, threshold, job.protocol)
        if box is not None and box[2] > box[0] and box[3] > box[1]:
            boxes[row] = box
            on[row] = object_of(box, images[annotations[image_id].group or image_id].boxes)
    return StepBoxes(name, boxes, on, evaluation.metrics.get("max_box_acc@0.5", {}).get("value"))


def object_of(box: np.ndarray | None, objects: np.ndarray) -> int:
    """Which of the objects (n, 4) the box (4,) lies on; -1: on none."""
    if box is None or not len(objects):
        return -1
    overlaps = iou_matrix(np.asarray(box, np.float64)[None], np.asarray(objects, np.float64))[0]
    best = int(overlaps.argmax())
    return best if overlaps[best] >= ON else -1


def moved(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """In percent of the images: after the second step their box lies on the *same* object as after the
    first, on *another*, on one after none (*found*), on none after one (*lost*), on *none* both times.
    """
    both = (first >= 0) & (second >= 0)
    shares = {
        "same": both & (first == second),
        "another": both & (first != second),
        "found": (first < 0) & (second >= 0),
        "lost": (first >= 0) & (second < 0),
        "none": (first < 0) & (second < 0),
    }
    return {name: 100 * float(share.mean()) for name, share in shares.items()}


def moves(steps: list[StepBoxes], sizes: np.ndarray) -> Iterator[list[str]]:
    """A line under `COLUMNS` for each two steps in a row, and for the first and the last of more.

    ``iou`` is the mean IoU of the two boxes of an image, ``shift`` the mean distance of their centres in
    percent of its diagonal; over the images that have both. ``sizes`` (N, 2): height and width.
    """
    pairs = list(pairwise(steps))
    if len(steps) > 2:
        pairs.append((steps[0], steps[-1]))
    for first, second in pairs:
        there = ~np.isnan(first.boxes[:, 0]) & ~np.isnan(second.boxes[:, 0])
        one, other = first.boxes[there], second.boxes[there]
        overlaps = [float(iou_matrix(a[None], b[None])[0, 0]) for a, b in zip(one, other, strict=True)]
        centres = (other[:, :2] + other[:, 2:] - one[:, :2] - one[:, 2:]) / 2
        shifts = np.hypot(*centres.T) / np.hypot(*sizes[there].T)
        yield [
            *(first.name, second.name, str(len(there))),
            *("" if step.accuracy is None else f"{step.accuracy:.3f}" for step in (first, second)),
            *(
                f"{np.mean(overlaps):.4f}" if overlaps else "",
                f"{100 * shifts.mean():.3f}" if overlaps else "",
            ),
            *(f"{share:.3f}" for share in moved(first.on, second.on).values()),
        ]


def _steps(evaluations: Mapping[str, Evaluation]) -> list[str]:
    """The sources that are the class map after some steps, by their number."""
    found = {}
    for name in evaluations:
        source = model_maps(name)
        if isinstance(source, ClassMapAtStep) and source.step is not None:
            found[name] = source.step
    return sorted(found, key=lambda name: found[name])


def _picture(job: ScoringJob, split: ManifestSplit, steps: list[StepBoxes], count: int) -> np.ndarray:
    """A row an image, the images that galleries show; a column a step, its map and box on the image."""
    kept = {step.name: KeptPredictions(split, count) for step in steps}
    shown = split.only(kept[steps[0].name].wanted)
    for step in steps:
        job.arrays(shown, [step.name], job.protocol, {step.name: kept[step.name]})
    rows = {image_id: row for row, image_id in enumerate(split.image_ids)}
    annotations = shown.annotations()
    lines = []
    for image_id, path in zip(shown.image_ids, shown.paths, strict=True):
        image = np.asarray(open_image(path, exif=job.manifest.exif))
        tiles = []
        for step in steps:
            box = step.boxes[rows[image_id]]
            score_map = kept[step.name].predictions[image_id].score_map
            box = None if np.isnan(box[0]) else box
            true = annotations[image_id].boxes
            tiles.append(_square(draw_overlay(image, score_map, box, true, step.name, SIDE)))
        lines.append(np.concatenate(tiles, axis=1))
    return np.concatenate(lines, axis=0)


def _square(tile: np.ndarray) -> np.ndarray:
    """The tile in the middle of a black frame as large as any tile, its caption included."""
    frame = np.zeros((SIDE + 20, SIDE + 4, 3), np.uint8)
    height, width = tile.shape[:2]
    left = (frame.shape[1] - width) // 2
    frame[:height, left : left + width] = tile
    return frame
