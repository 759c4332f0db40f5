"""The verb ``localize``: boxes, masks and overlays for images that nobody has annotated."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from wsol.data.layouts.custom import custom_manifest
from wsol.data.loading.loader import eval_loader
from wsol.data.manifest.manifest import ManifestSplit
from wsol.data.manifest.queries import scored_split
from wsol.errors import UserError
from wsol.evaluation.evaluator import score
from wsol.evaluation.in_memory.localization import CAM_THRESHOLD, Localization, found_in
from wsol.files.csv_table import table_rows, write_csv
from wsol.files.pictures.images import open_image
from wsol.files.pictures.picture_files import picture_path, write_picture
from wsol.files.writing.whole_folder import temporary_folder
from wsol.maps import of_predicted_class
from wsol.maps.reading import MapReader
from wsol.pipeline.evaluate_run import ModelJob
from wsol.pipeline.images_of_run import check_scores, own_manifest
from wsol.pipeline.inputs import image_folder, manifest_folder
from wsol.pipeline.model import Model
from wsol.pipeline.own_images.loose_images import check_reads_loose_images
from wsol.progress import say, track
from wsol.recipe import EvaluationSettings
from wsol.report.overlay import draw_overlay
from wsol.training.device import threads

THRESHOLD_KEY = "gt_known_loc@0.5"
COLUMNS = ("image_id", "class", "x0", "y0", "x1", "y1", "probability", "threshold")


def localize(
    images: Path | str | Sequence[Path | str],
    model: Model | Path | str,
    output: Path | str,
    *,
    threshold: float | None = None,
    maps: str = "",
) -> Path:
    """Write ``boxes.csv``, ``masks/``, ``overlays/`` for images; returns the table's path.

    A box is that of the largest contour of the map, cut at ``threshold``; a mask is all of the map above
    it. Nothing is known of the images, so that maps are those of the predicted classes.

    Args:
        images: a folder, whose images below ``output`` are left out; or one image file, or several.
        model: a run folder, ``timm:NAME``, ``torchvision:NAME``, or an open model.
        threshold: in [0, 1). Without it a run's best on its val boxes is taken, or the CAM paper's 0.2
            where it has none or they are not here, as for every pretrained classifier; which, is said.
        maps: the source; the model's own by default.

    Raises:
        UserError: no images there, one that does not decode, an unknown source. Nothing is written then.
    """
    if threshold is not None and not 0 <= threshold < 1:
        raise UserError(f"--threshold {threshold} is not in [0, 1)")
    model = model if isinstance(model, Model) else Model.open(model)
    maps = of_predicted_class(maps or model.default_map)
    check_reads_loose_images([maps])
    rows: list[list[object]] = []
    with image_folder(images) as folder, _working_folder(Path(output)) as place:
        # Nothing is trained: whatever the folders are called, their images are to be localized.
        manifest = custom_manifest(folder, [], place / "manifest", skip=output, plain_folders=True)
        for note in manifest.info["notes"]:
            if "no label" not in note:  # nobody expects labels here
                say(f"note: {note}")
        splits = [manifest.split(name) for name in manifest.splits]
        for split in splits:
            check_scores(model, split)
        _ = model.localizer  # weights that do not fit are told before a threshold is
        cut = _val_threshold(model, maps) if threshold is None else threshold
        with threads(model.threads):
            for split in splits:
                for image_id, picture, found in _found(model, split, maps, cut):
                    _draw(place / "pictures", image_id, picture, found)
                    rows.append(_row(image_id, found))
        _move_pictures(place / "pictures", Path(output))  # all are there: no part of a set is left
    _tell_of_earlier(Path(output), {str(row[0]) for row in rows})
    return write_csv(Path(output) / "boxes.csv", COLUMNS, rows)


def _found(
    model: Model, split: ManifestSplit, maps: str, threshold: float
) -> Iterator[tuple[str, np.ndarray, Localization]]:
    """Each image's id, its picture (height, width, 3) uint8 and what is found in it."""
    paths = dict(zip(split.image_ids, split.paths, strict=True))
    stream = MapReader(model.localizer, None).predictions(eval_loader(split, model.recipe), maps)
    for prediction in track(stream, len(split), "localize"):
        image_id = prediction.image_id
        picture = np.asarray(open_image(paths[image_id], exif=split.manifest.exif))
        size = (picture.shape[0], picture.shape[1])
        yield image_id, picture, found_in(prediction, size, threshold, model.class_names)


def _row(image_id: str, found: Localization) -> list[object]:
    """The row of ``boxes.csv``; the box is empty where the map is constant."""
    corners = [""] * 4 if found.box is None else [f"{value:.2f}" for value in found.box]
    return [
        image_id,
        found.class_name,
        *corners,
        f"{found.probability:.4f}",
        f"{found.threshold:.3f}",
    ]


def _draw(folder: Path, image_id: str, picture: np.ndarray, found: Localization) -> None:
    """Write the mask (0 and 255) and the overlay as PNG files named by the image."""
    caption = f"{found.class_name} {found.probability:.2f}"
    overlay = draw_overlay(picture, found.score_map, found.box, caption=caption, side=448)
    write_picture(folder / "masks", image_id, found.mask.astype(np.uint8) * 255)
    write_picture(folder / "overlays", image_id, overlay)


@contextmanager
def _working_folder(output: Path) -> Iterator[Path]:
    """A temporary folder in ``output``, which where it was made for nothing is removed again."""
    made = not output.exists()
    try:
        with temporary_folder(output / "localize") as folder:
            yield folder
    finally:
        if made:
            with suppress(OSError):  # it holds something
                output.rmdir()


def _move_pictures(pictures: Path, output: Path) -> None:
    for path in sorted(pictures.rglob("*.png")):
        kept = output / path.relative_to(pictures)
        kept.parent.mkdir(parents=True, exist_ok=True)
        path.replace(kept)


def _tell_of_earlier(output: Path, image_ids: set[str]) -> None:
    """Pictures of an earlier call stay, for they are the user's: it is said that they are there."""
    try:
        with (output / "boxes.csv").open(encoding="utf-8", newline="") as file:
            earlier = {cells[0] for _, cells in table_rows(file) if cells} - {COLUMNS[0]} - image_ids
    except (OSError, ValueError, csv.Error):
        return
    left = [one for one in sorted(earlier) if picture_path(output / "masks", one).exists()]
    if left:
        more = f"{len(left)} images of an earlier call, e.g. {left[0]}, which boxes.csv lists no more"
        say(f"note: {output}/masks and overlays also hold {more}")


def _val_threshold(model: Model, maps: str) -> float:
    """The run's best threshold on its val boxes, or CAM's 0.2; says which."""
    if model.folder is None:
        say(f"threshold {CAM_THRESHOLD}, the CAM paper's: choose another with --threshold")
        return CAM_THRESHOLD
    val = _val(model)
    if val is not None:
        settings = EvaluationSettings(
            protocol="halfopen", maps=[maps], batch_size=model.recipe.evaluation.batch_size
        )
        job = ModelJob(model, settings, val.manifest)
        arrays = job.arrays(val, [maps], job.protocol, {})
        values = score(arrays[maps], job.protocol, intervals=False).threshold["values"]
        if values.get(THRESHOLD_KEY) is not None:
            say(f"threshold {values[THRESHOLD_KEY]:.3f}, the best on the run's val boxes")
            return float(values[THRESHOLD_KEY])
    say(f"threshold {CAM_THRESHOLD}: the run's data set has no val boxes here to choose one on")
    return CAM_THRESHOLD


def _val(model: Model) -> ManifestSplit | None:
    """The val split the run was trained with; None, and why, where it is not to be had here."""
    folder = manifest_folder(model.recipe)
    if not folder.exists():  # nor is the embedded data set made for it
        say(f"{folder}, which the run was trained on, is not here")
        return None
    try:
        manifest = own_manifest(model)
    except UserError as error:
        say(str(error))
        return None
    return scored_split(manifest, "val") if "val" in manifest.splits else None
