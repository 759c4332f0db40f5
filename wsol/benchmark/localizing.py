"""The verb ``localize``: boxes, masks and overlays for images that nobody has annotated."""

from __future__ import annotations

import csv
import tempfile
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from wsol.atomic import write_text
from wsol.benchmark.scoring import Run
from wsol.data.custom import custom_manifest
from wsol.data.images import open_image
from wsol.data.loader import eval_loader
from wsol.errors import UserError
from wsol.evaluation.boxes import box_at, to_image
from wsol.evaluation.evaluator import score
from wsol.evaluation.protocol import Protocol, protocol
from wsol.evaluation.score_map import normalise
from wsol.evaluation.sweep import cut_of
from wsol.maps.readers import PREDICTED
from wsol.maps.source import predictions
from wsol.progress import say, track
from wsol.recipe import How
from wsol.records import Prediction
from wsol.report.overlay import draw_overlay
from wsol.report.picture_files import write_picture

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

    A box is that of the largest contour of the predicted class's map, cut at ``threshold`` in [0, 1); a
    mask is all of the map above it. Without ``threshold`` the run's best on its val boxes is taken,
    or 0.2 where it has none.
    """
    if threshold is not None and not 0 <= threshold < 1:
        raise UserError(f"--threshold {threshold} is not in [0, 1)")
    trained = Run.open(run, how)
    rules = protocol("halfopen")
    cut = _val_threshold(trained, maps, rules) if threshold is None else threshold
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder:
        # Nothing is trained: whatever the folders are called, their images are to be localized.
        manifest = custom_manifest(images, [], Path(folder) / "manifest", plain_folders=True)
        for name in manifest.splits:
            split = manifest.split(name)
            trained.check_scores(split)
            paths = dict(zip(split.image_ids, split.paths, strict=True))
            stream = predictions(
                trained.localizer,
                eval_loader(split, trained.recipe),
                maps,
                # No class is known of these images: all are the model's to predict.
                trained.localizer.class_keys,
                trained.fabric.device,
            )
            for prediction in track(stream, len(split), "localize"):
                picture = np.asarray(open_image(paths[prediction.image_id], exif=manifest.exif))
                found = Found.of(prediction, picture, cut, rules, trained.localizer.class_keys)
                found.write(picture, Path(output))
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
        normalised = normalise(score_map, frame, rules.interpolation)
        map_u8 = (normalised * 255).astype(np.uint8)
        box = to_image(box_at(map_u8, cut_of(threshold, int(map_u8.max())))[None], frame, size)[0]
        inside = normalise(score_map, size, rules.interpolation) >= max(threshold, 1e-9)
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


def _val_threshold(run: Run, maps: str, rules: Protocol) -> float:
    """The run's best threshold on its val boxes, or CAM's 0.2; says which."""
    if "val" in run.manifest.splits and run.manifest.split("val").annotated:
        arrays, _ = run.arrays(run.manifest.split("val"), [maps], rules)
        per_image = arrays[maps]
        values = score(per_image, rules, intervals=False).threshold["values"]
        if isinstance(values, dict) and values.get(THRESHOLD_KEY) is not None:
            say(f"threshold {values[THRESHOLD_KEY]:.3f}, the best on the run's val boxes")
            return float(values[THRESHOLD_KEY])
    say(f"threshold {CAM_THRESHOLD}: the run's data set has no val boxes to choose one on")
    return CAM_THRESHOLD


def _write_table(path: Path, rows: list[list[object]]) -> Path:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image_id", "class", "x0", "y0", "x1", "y1"])
    writer.writerows(rows)
    return write_text(path, text.getvalue())
