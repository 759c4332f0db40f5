"""Pictures of a run's images: maps are kept as they stream by, drawn when thresholds are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from wsol.data.manifest.manifest import ManifestSplit
from wsol.evaluation.evaluator import Evaluation
from wsol.evaluation.per_image_table import chosen_box, chosen_mask_iou, chosen_threshold
from wsol.evaluation.score_map import mask_at
from wsol.files.pictures.images import open_image
from wsol.files.pictures.picture_files import write_picture
from wsol.report.gallery import Tile, gallery_images, save_gallery
from wsol.report.overlay import draw_overlay
from wsol.scores.iou_codes import SINGLE_UNITS
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.samples import Prediction
from wsol.scores.thresholds import cut_of


class KeptPredictions:
    """The predictions of the images that galleries show: the same images for every row.

    With ``every`` those of the others are kept too, for their masks.
    """

    def __init__(self, split: ManifestSplit, count: int, *, every: bool = False) -> None:
        self.split, self.every = split, every
        self.wanted = dict.fromkeys(gallery_images(split.image_ids, count) if count > 0 else [])
        self.predictions: dict[str, Prediction] = {}

    def through(self, predictions: Iterable[Prediction]) -> Iterator[Prediction]:
        """The same predictions; those wanted are kept."""
        for prediction in predictions:
            self.see(prediction)
            yield prediction

    def see(self, prediction: Prediction) -> None:
        """Keep the prediction if it is wanted."""
        if self.every or prediction.image_id in self.wanted:
            self.predictions[prediction.image_id] = prediction


def through(
    predictions: Iterable[tuple[str, Prediction]], kept: Mapping[str, KeptPredictions]
) -> Iterator[tuple[str, Prediction]]:
    """The same pairs of source and prediction; each source keeps what it wants."""
    for source, prediction in predictions:
        kept[source].see(prediction)
        yield source, prediction


def write_gallery(
    kept: KeptPredictions, evaluation: Evaluation, protocol: Protocol, folder: Path
) -> None:
    """Draw the kept images for the report into ``folder``, which is named by the run's id.

    One without tiles, of images whose files are missing, is written too: it is done, not lacking.
    """
    if kept.wanted:
        save_gallery(folder.parent, folder.name, tiles(kept, evaluation, protocol))


def write_pictures(
    kept: KeptPredictions, evaluation: Evaluation, protocol: Protocol, folder: Path
) -> None:
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


def write_masks(kept: KeptPredictions, evaluation: Evaluation, protocol: Protocol, folder: Path) -> None:
    """Write the mask of every prediction kept, ``<image_id>.png`` of 0 and 255 in the image's own size.

    It is cut at the table's threshold; nothing is written where none could be chosen.
    """
    threshold = chosen_threshold(evaluation)
    if threshold is None:
        return
    sizes = {annotation.image_id: annotation.size for annotation in kept.split.annotations().values()}
    for image_id, prediction in kept.predictions.items():
        if prediction.score_map is not None:
            mask = mask_at(prediction.score_map, sizes[image_id], threshold, protocol.interpolation)
            write_picture(folder, image_id, mask.astype(np.uint8) * 255)


def tiles(kept: KeptPredictions, evaluation: Evaluation, protocol: Protocol) -> Iterator[Tile]:
    """One tile a kept image, in the gallery's order; images whose files are missing are left out."""
    per_image = evaluation.per_image
    threshold = chosen_threshold(evaluation)
    rows = {str(image_id): row for row, image_id in enumerate(per_image.image_ids)}
    places = {image_id: place for place, image_id in enumerate(kept.split.image_ids)}
    annotations = kept.split.annotations()
    for image_id in kept.wanted:
        path = kept.split.paths[places[image_id]]
        if image_id not in kept.predictions or not Path(path).is_file():
            continue
        annotation, row = annotations[image_id], rows[image_id]
        box, iou = None, None
        if threshold is not None:
            iou = _iou(per_image, row, threshold, protocol)
            box = chosen_box(per_image, row, threshold, protocol) if protocol.boxes else None
        label = annotation.label
        yield Tile(
            image_id=image_id,
            image=np.asarray(open_image(path, exif=kept.split.manifest.exif)),
            score_map=kept.predictions[image_id].score_map,
            predicted_box=box if box is not None and box[2] > box[0] else None,
            true_boxes=annotation.boxes,
            iou=iou,
            title=kept.split.classes[label] if 0 <= label < len(kept.split.classes) else "",
        )


def _iou(per_image: PerImage, row: int, threshold: float, protocol: Protocol) -> float | None:
    """IoU in [0, 1] of the single-contour box with a true box, or of the mask where there is no box."""
    if per_image.single is None or not per_image.has_box[row]:
        return chosen_mask_iou(per_image, row, threshold, protocol)
    return float(per_image.single[row, cut_of(threshold, int(per_image.top[row]))]) / SINGLE_UNITS
