"""Overlays of a few images of a run: kept as predictions stream by, drawn when scores are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from wsol.data.images import open_image
from wsol.data.manifest import ManifestSplit
from wsol.evaluation.boxes import to_image
from wsol.evaluation.evaluator import Evaluation
from wsol.evaluation.per_image import SINGLE_UNITS, PerImage
from wsol.evaluation.protocol import Protocol
from wsol.records import Prediction
from wsol.report.gallery import Tile, gallery_images, save_gallery

# The threshold that the predicted box is drawn at.
SHOWN_METRIC = "gt_known_loc@0.5"


class Kept:
    """The predictions of the images that galleries show: the same images for every row."""

    def __init__(self, split: ManifestSplit, count: int) -> None:
        self.split = split
        self.wanted = dict.fromkeys(gallery_images(split.image_ids, count) if count > 0 else [])
        self.predictions: dict[str, Prediction] = {}

    def through(self, predictions: Iterable[Prediction]) -> Iterator[Prediction]:
        """The same predictions; those wanted are kept."""
        for prediction in predictions:
            if prediction.image_id in self.wanted:
                self.predictions[prediction.image_id] = prediction
            yield prediction


def write_gallery(
    kept: Kept, evaluation: Evaluation, protocol: Protocol, run_id: str, results: Path | str
) -> Path | None:
    """Draw the kept images into ``results/report/<run_id>``; None where there is nothing to draw."""
    if not kept.predictions or evaluation.per_image is None:
        return None
    return save_gallery(Path(results) / "report", run_id, tiles(kept, evaluation, protocol))


def tiles(kept: Kept, evaluation: Evaluation, protocol: Protocol) -> Iterator[Tile]:
    """One tile a kept image, in the gallery's order; images whose files are missing are left out."""
    per_image = evaluation.per_image
    assert per_image is not None
    thresholds = evaluation.threshold.get("values")
    threshold = thresholds.get(SHOWN_METRIC) if isinstance(thresholds, dict) else None
    rows = {str(image_id): row for row, image_id in enumerate(per_image.image_ids)}
    places = {image_id: place for place, image_id in enumerate(kept.split.image_ids)}
    annotations = kept.split.annotations()
    for image_id in kept.wanted:
        path = kept.split.paths[places[image_id]]
        if image_id not in kept.predictions or not Path(path).is_file():
            continue
        annotation, row = annotations[image_id], rows[image_id]
        box, iou = chosen_box(per_image, row, threshold, protocol)
        label = annotation.label
        yield Tile(
            image_id=image_id,
            image=np.asarray(open_image(path, exif=kept.split.manifest.exif)),
            score_map=kept.predictions[image_id].score_map,
            predicted_box=box,
            true_boxes=annotation.boxes,
            iou=iou,
            title=kept.split.classes[label] if 0 <= label < len(kept.split.classes) else "",
        )


def chosen_box(
    per_image: PerImage, row: int, threshold: float | None, protocol: Protocol
) -> tuple[np.ndarray | None, float | None]:
    """The single-contour box at ``threshold`` in original pixels, half-open, and its IoU in [0, 1]."""
    boxes = per_image.boxes_of(row)
    if threshold is None or boxes is None or per_image.single is None:
        return None, None
    cut = int(threshold * per_image.top[row])
    height, width = (int(side) for side in per_image.sizes[row])
    box = to_image(boxes[cut][None], protocol.frame((height, width)), (height, width))[0]
    return (box if box[2] > box[0] else None), float(per_image.single[row, cut]) / SINGLE_UNITS
