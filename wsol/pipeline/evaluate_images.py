"""The verb ``evaluate_images``: one's own images and annotations, nothing prepared before."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path

from wsol.data.layouts.custom import custom_manifest
from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.errors import UserError
from wsol.evaluation.evaluator import Evaluation
from wsol.maps import of_predicted_class
from wsol.maps.classes import lacking_classes
from wsol.pipeline.evaluate import evaluate
from wsol.pipeline.evaluate_run import ModelJob
from wsol.pipeline.model import Model
from wsol.pipeline.outputs.publish import Outputs
from wsol.progress import say
from wsol.recipe import EvaluationSettings

SCORED = "test"


def evaluate_images(
    images: Path | str,
    annotations: Path | str | Sequence[Path | str],
    model: Model | Path | str,
    settings: EvaluationSettings | None = None,
    *,
    corners: str | None = None,
    mask_values: Sequence[str] = (),
    stored_pixels: bool = False,
    outputs: Outputs | None = None,
) -> dict[str, Evaluation]:
    """Score a model on every annotated image below ``images``; masks too where there are any.

    With ``outputs`` it writes ``metrics.json``; ``per_image.csv``, the box and the IoU of each image;
    ``masks/``, the predicted ones; ``overlays/``. Several sources of maps get a folder each.

    Args:
        annotations: COCO JSON, VOC XML, CSV or mask PNGs, see `wsol.data.layouts.custom`.
        model: a run folder, ``timm:NAME``, ``torchvision:NAME``, or an open model; of its recipe only
            the network, the batch and what classes stand for count.
        settings: protocol (``halfopen`` by default), thresholds, step and maps. Where it names no maps,
            the recipe's are taken, read at the predicted class where an image has no class or one that
            the model does not know. Its split, batch size and classes are not read.
        corners: how the annotations write corners; None: as their format does.
        mask_values: what the values of mask files mean, e.g. ``("object=1-20", "ignore=255")``; none:
            all but 0 is the object, and 255 of a palette is not scored.
        stored_pixels: the annotations are of the pixels as stored: EXIF tags turn nothing.
        outputs: what is written where; nothing by default.

    Raises:
        UserError: everything that is wrong with images and annotations; thresholds of a val split.
    """
    settings = settings or EvaluationSettings(protocol="halfopen", maps=[])
    outputs = outputs or Outputs()
    if settings.thresholds == "val":
        raise UserError("thresholds val: one's own images have no val split; choose oracle or fixed:0.2")
    model = model if isinstance(model, Model) else Model.open(model)
    with tempfile.TemporaryDirectory() as folder:
        manifest = custom_manifest(
            images,
            annotations,
            Path(folder) / "manifest",
            skip=outputs.output or (),
            corners=corners,
            mask_values=list(mask_values),
            stored_pixels=stored_pixels,
            split=SCORED,
            one_split=True,
        )
        split = _annotated(manifest, images, annotations)
        job = ModelJob(model, _settings(model, split, settings), manifest)
        return evaluate(job, outputs)


def _settings(model: Model, split: ManifestSplit, settings: EvaluationSettings) -> EvaluationSettings:
    """The settings as far as they count here, the rest from the model's recipe."""
    own = model.recipe.evaluation
    classes = {key: own.classes[key] for key in split.class_keys if key in own.classes}
    maps = settings.maps
    if not maps:
        unread = _unread(split, lacking_classes(model.class_keys, split.class_keys, classes))
        maps = own.maps
        if unread:
            maps = tuple(dict.fromkeys(of_predicted_class(source) for source in own.maps[:1]))
            say(f"{unread}: scoring the map of the predicted class")
    return dataclasses.replace(
        settings, split=SCORED, maps=maps, batch_size=own.batch_size, classes=classes
    )


def _annotated(
    manifest: Manifest, images: Path | str, annotations: Path | str | Sequence[Path | str]
) -> ManifestSplit:
    """The images to score; says what was decided about odd input, and how many there are."""
    split = manifest.split(SCORED) if SCORED in manifest.splits else None
    if split is None or not split.annotated:
        named = [annotations] if isinstance(annotations, str | Path) else annotations
        raise UserError(
            f"{', '.join(map(str, named))}: no boxes or masks in it for the images in {images}"
        )
    for note in manifest.info["notes"]:
        say(f"note: {note}")
    say(f"{len(split):,} of {sum(manifest.splits.values()):,} images are annotated, and scored")
    return split


def _unread(split: ManifestSplit, lacking: Sequence[str]) -> str:
    """Why the images' true classes cannot be read; empty where they can."""
    if without := int((split.labels < 0).sum()):
        return f"{without} images have no class"
    if lacking:
        return f"{len(lacking)} classes are none of the model's, e.g. {lacking[0]!r}"
    return ""
