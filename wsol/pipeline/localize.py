"""The verb ``localize``: boxes, masks and overlays for images that nobody has annotated."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsol.data.layouts.custom import custom_manifest
from wsol.data.loading.loader import eval_loader
from wsol.data.manifest.manifest import ManifestSplit
from wsol.errors import UserError
from wsol.evaluation.boxes import box_at, to_image
from wsol.evaluation.evaluator import score
from wsol.evaluation.score_map import mask_at, quantise
from wsol.files.csv_table import write_csv
from wsol.files.images import open_image
from wsol.files.picture_files import write_picture
from wsol.maps.readers import PREDICTED
from wsol.maps.source import predictions
from wsol.pipeline.inputs import manifest_folder
from wsol.pipeline.trained_run import Run
from wsol.progress import say, track
from wsol.recipe import How
from wsol.report.overlay import draw_overlay
from wsol.scores.protocol import Protocol, protocol_named
from wsol.scores.records import Prediction
from wsol.scores.thresholds import cut_of

# Where a run has no val boxes to choose a threshold on: that of CAM (Zhou et al., CVPR 2016).
CAM_THRESHOLD = 0.2
THRESHOLD_KEY = "gt_known_loc@0.5"


def localize(
    images: Path | str,
    run: Path | str,
    output: Path | str,
    *,
    threshold: float | None = None,
    maps: str = PREDICTED,
    how: How | None = None,
) -> Path:
    """Write ``boxes.csv``, ``masks/``, ``overlays/`` for the images below ``images``; returns the table.

    A box is that of the largest contour of the map, cut at ``threshold`` in [0, 1); a mask is all of the
    map above it. Nothing is known of the images, so that ``maps`` are those of the predicted classes;
    images below ``output`` are left out. Without ``threshold`` the run's best on its val boxes is
    taken, or 0.2 where it has none or they are not here.
    """
    if threshold is not None and not 0 <= threshold < 1:
        raise UserError(f"--threshold {threshold} is not in [0, 1)")
    maps = PREDICTED if maps == "cam" else maps
    trained = Run.open(run, how)
    rules = protocol_named("halfopen")
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder:
        # Nothing is trained: whatever the folders are called, their images are to be localized.
        manifest = custom_manifest(
            images, [], Path(folder) / "manifest", skip=output, plain_folders=True
        )
        for note in manifest.info["notes"]:
            say(f"note: {note}")
        splits = [manifest.split(name) for name in manifest.splits]
        for split in splits:
            trained.check_scores(split)
        cut = _val_threshold(trained, maps, rules) if threshold is None else threshold
        with _all_or_none(Path(output)) as pictures:
            for split in splits:
                for picture, found in _found(trained, split, maps, cut, rules):
                    found.write(picture, pictures)
                    rows.append(found.row())
    return _write_table(Path(output) / "boxes.csv", rows)


@dataclass(frozen=True)
class Found:
    """Found in an image: ``box`` (4,) half-open pixels or None, ``mask`` (height, width) bool."""

    prediction: Prediction
    class_key: str
    box: np.ndarray | None
    mask: np.ndarray

    @classmethod
    def of(
        cls,
        prediction: Prediction,
        picture: np.ndarray,
        threshold: float,
        rules: Protocol,
        class_keys: list[str],
    ) -> Found:
        """Cut the prediction's map at ``threshold`` as the protocol does."""
        size = (picture.shape[0], picture.shape[1])
        score_map = np.zeros(size) if prediction.score_map is None else prediction.score_map
        frame = rules.frame(size)
        map_u8 = quantise(score_map, frame, rules.interpolation)
        box = to_image(box_at(map_u8, cut_of(threshold, int(map_u8.max())))[None], frame, size)[0]
        inside = mask_at(score_map, size, threshold, rules.interpolation)
        top1 = prediction.top5[0] if prediction.top5 else -1
        key = class_keys[top1] if 0 <= top1 < len(class_keys) else ""
        return cls(prediction, key, box if box[2] > box[0] else None, inside)

    def row(self) -> list[object]:
        """The row of ``boxes.csv``; the box is empty where the map is constant."""
        corners = [""] * 4 if self.box is None else [f"{value:.2f}" for value in self.box]
        return [self.prediction.image_id, self.class_key, *corners]

    def write(self, picture: np.ndarray, output: Path) -> None:
        """Write the mask (0 and 255) and the overlay as PNG files named by the image."""
        image_id = self.prediction.image_id
        overlay = draw_overlay(
            picture, self.prediction.score_map, self.box, caption=self.class_key, side=448
        )
        write_picture(output / "masks", image_id, self.mask.astype(np.uint8) * 255)
        write_picture(output / "overlays", image_id, overlay)


def _found(
    run: Run, split: ManifestSplit, maps: str, threshold: float, rules: Protocol
) -> Iterator[tuple[np.ndarray, Found]]:
    """Each picture (height, width, 3) uint8 and what is found in it."""
    paths = dict(zip(split.image_ids, split.paths, strict=True))
    loader = eval_loader(split, run.recipe)
    stream = predictions(run.localizer, loader, maps, None, run.fabric.device)
    for prediction in track(stream, len(split), "localize"):
        picture = np.asarray(open_image(paths[prediction.image_id], exif=split.manifest.exif))
        yield picture, Found.of(prediction, picture, threshold, rules, run.localizer.class_keys)


@contextmanager
def _all_or_none(output: Path) -> Iterator[Path]:
    """A folder for pictures, which come to ``output`` once all are there: no part of a set is left."""
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".localize-") as folder:
        yield Path(folder)
        for path in sorted(Path(folder).rglob("*.png")):
            kept = output / path.relative_to(folder)
            kept.parent.mkdir(parents=True, exist_ok=True)
            path.replace(kept)


def _val_threshold(run: Run, maps: str, rules: Protocol) -> float:
    """The run's best threshold on its val boxes, or CAM's 0.2; says which."""
    val = _val(run)
    if val is not None:
        arrays, _ = run.arrays(val, [maps], rules)
        values = score(arrays[maps], rules, intervals=False).threshold["values"]
        if values.get(THRESHOLD_KEY) is not None:
            say(f"threshold {values[THRESHOLD_KEY]:.3f}, the best on the run's val boxes")
            return float(values[THRESHOLD_KEY])
    say(f"threshold {CAM_THRESHOLD}: the run's data set has no val boxes here to choose one on")
    return CAM_THRESHOLD


def _val(run: Run) -> ManifestSplit | None:
    """The val split the run was trained with; None, and why, where it is not to be had here."""
    folder = manifest_folder(run.recipe)
    if not folder.exists():  # nor is the embedded data set made for it
        say(f"{folder}, which the run was trained on, is not here")
        return None
    try:
        manifest = run.manifest
    except UserError as error:
        say(str(error))
        return None
    return manifest.split("val") if "val" in manifest.splits else None


def _write_table(path: Path, rows: list[list[object]]) -> Path:
    return write_csv(path, ["image_id", "class", "x0", "y0", "x1", "y1"], rows)
