"""Overlays of a few images of a run: kept as predictions stream by, drawn when scores are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from wsol.data.images import open_image
from wsol.data.manifest import ManifestSplit
from wsol.evaluation.evaluator import Evaluation
from wsol.evaluation.output import chosen_box
from wsol.evaluation.per_image import SINGLE_UNITS, PerImage
from wsol.evaluation.protocol import Protocol
from wsol.evaluation.sweep import cut_of
from wsol.records import Prediction
from wsol.report.gallery import Tile, gallery_images, save_gallery
from wsol.report.overlay import draw_overlay
from wsol.report.picture_files import write_picture

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
            self.see(prediction)
            yield prediction

    def see(self, prediction: Prediction) -> None:
        """Keep the prediction if it is wanted."""
        if prediction.image_id in self.wanted:
            self.predictions[prediction.image_id] = prediction


def through(
    predictions: Iterable[tuple[str, Prediction]], kept: Mapping[str, Kept]
) -> Iterator[tuple[str, Prediction]]:
    """The same pairs of source and prediction; each source keeps what it wants."""
    for source, prediction in predictions:
        kept[source].see(prediction)
        yield source, prediction


def write_gallery(kept: Kept, evaluation: Evaluation, protocol: Protocol, folder: Path) -> None:
    """Draw the kept images for the report into ``folder``, which is named by the run's id."""
    if kept.predictions:
        save_gallery(folder.parent, folder.name, tiles(kept, evaluation, protocol))


def write_pictures(kept: Kept, evaluation: Evaluation, protocol: Protocol, folder: Path) -> None:
    """Draw the kept images as PNG files ``<image_id>.png`` into ``folder``, IoU and class as caption."""
    for tile in tiles(kept, evaluation, protocol):
        iou = "" if tile.iou is None else f"IoU {tile.iou:.2f}  "
        picture = draw_overlay(
            tile.image,
            tile.score_map,
            tile.predicted_box,
            tile.true_boxes,
            f"{iou}{tile.title}",
            side=448,
        )
        write_picture(folder, tile.image_id, picture)


def tiles(kept: Kept, evaluation: Evaluation, protocol: Protocol) -> Iterator[Tile]:
    """One tile a kept image, in the gallery's order; images whose files are missing are left out."""
    per_image = evaluation.per_image
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
        box = None if threshold is None else chosen_box(per_image, row, threshold, protocol)
        label = annotation.label
        yield Tile(
            image_id=image_id,
            image=np.asarray(open_image(path, exif=kept.split.manifest.exif)),
            score_map=kept.predictions[image_id].score_map,
            predicted_box=box if box is not None and box[2] > box[0] else None,
            true_boxes=annotation.boxes,
            iou=None if threshold is None else iou_at(per_image, row, threshold),
            title=kept.split.classes[label] if 0 <= label < len(kept.split.classes) else "",
        )


def iou_at(per_image: PerImage, row: int, threshold: float) -> float | None:
    """IoU in [0, 1] of the single-contour box with a true box at ``threshold``; None without boxes."""
    if per_image.single is None or not per_image.has_box[row]:
        return None
    return float(per_image.single[row, cut_of(threshold, int(per_image.top[row]))]) / SINGLE_UNITS
