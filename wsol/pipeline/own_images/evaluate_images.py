"""The verb ``evaluate_images``: one's own images and annotations, nothing prepared before."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path

from wsol.data.annotations.conventions import Conventions
from wsol.data.layouts.custom import custom_manifest
from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.errors import UserError
from wsol.evaluation.evaluator import Evaluation
from wsol.maps import of_predicted_class
from wsol.maps.class_matching import (
    ClassMatch,
    ModelClasses,
    counted,
    listed,
    match_classes,
    told_unknown,
)
from wsol.pipeline.evaluate import evaluate
from wsol.pipeline.evaluate_run import ModelJob
from wsol.pipeline.model import Model
from wsol.pipeline.model_classes import classes_of
from wsol.pipeline.outputs.publish import Outputs
from wsol.pipeline.own_images.known_classes import UNKNOWN_CLASS, ImageGroups, group_images
from wsol.pipeline.own_images.loose_images import check_reads_loose_images
from wsol.progress import say
from wsol.recipe import EvaluationSettings
from wsol.scores.protocol import protocol_named

SCORED = "test"
APART = ", class unknown"  # ends the source's name where images are scored apart


def evaluate_images(
    images: Path | str,
    annotations: Path | str | Sequence[Path | str],
    model: Model | Path | str,
    settings: EvaluationSettings | None = None,
    *,
    conventions: Conventions | None = None,
    outputs: Outputs | None = None,
) -> dict[str, Evaluation]:
    """Score a model on every annotated image below ``images``; masks too where there are any.

    No image changes how the others are scored. Those of classes that the model has are scored by the
    maps of these classes. Those of another class, or of none, are scored apart by the maps of the
    predicted class: their evaluation goes by the source and ``, class unknown``, unless there are no
    others. Images without object are in no figure, but where the protocol counts false alarms there
    (``rubinstein2013``). How many there are of each is said.

    With ``outputs`` it writes ``metrics.json``; ``per_image.csv``, the box and the IoU of each image;
    ``masks/``, the predicted ones; ``overlays/``; the same in ``unknown_class/`` for the images scored
    apart, of which no record is appended. Several sources of maps get a folder each.

    Args:
        annotations: COCO JSON, VOC XML, CSV or mask PNGs, see `wsol.data.layouts.custom`.
        model: a run folder, ``timm:NAME``, ``torchvision:NAME``, or an open model; of its recipe only
            the network, the batch and what classes stand for count.
        settings: protocol (``halfopen`` by default), thresholds, step, maps and classes. Where it names
            no maps, the recipe's are taken. Its classes say which of the model's, by key or name, stand
            for some of the annotations'; the others are matched by key and by name. Its split and batch
            size are not read.
        conventions: how the annotations write corners and masks, where that is not their format's way.
        outputs: what is written where; nothing by default.

    Raises:
        UserError: everything that is wrong with images and annotations; thresholds of a val split; a
            class name that several of the model's classes share.
    """
    settings = settings or EvaluationSettings(protocol="halfopen", maps=[])
    outputs, written = outputs or Outputs(), conventions or Conventions()
    if settings.thresholds == "val":
        raise UserError("thresholds val: one's own images have no val split; choose oracle or fixed:0.2")
    per_class = protocol_named(settings.protocol, settings.step).per_class
    model = model if isinstance(model, Model) else Model.open(model)
    check_reads_loose_images(settings.maps or model.recipe.evaluation.maps)
    with tempfile.TemporaryDirectory() as folder:
        manifest = custom_manifest(
            images,
            annotations,
            Path(folder) / "manifest",
            skip=outputs.output or (),
            corners=written.corners,
            mask_values=list(written.mask_values),
            stored_pixels=written.stored_pixels,
            split=SCORED,
            one_split=True,
        )
        split = _annotated(manifest, images, annotations)
        known = classes_of(model)
        match = _match(model, known, split, settings)
        groups = group_images(split, match.unknown, without_object_counts=per_class)
        if not groups.n_known + groups.n_unknown:
            raise UserError(f"{images}: none of the {len(split)} annotated images shows an object")
        _tell(groups, match, known)
        own = _settings(model, match, settings)
        return _scored(model, groups, own, settings.maps, outputs)


def _scored(
    model: Model,
    groups: ImageGroups,
    settings: EvaluationSettings,
    maps: Sequence[str],
    outputs: Outputs,
) -> dict[str, Evaluation]:
    """The evaluations of the images of known classes, then of the others by ``maps`` or the first."""
    evaluations: dict[str, Evaluation] = {}
    if groups.n_known:
        evaluations = evaluate(ModelJob(model, settings, groups.known), outputs)
    if groups.n_unknown:
        maps = tuple(dict.fromkeys(of_predicted_class(source) for source in maps or settings.maps[:1]))
        apart = dataclasses.replace(settings, split=UNKNOWN_CLASS, maps=maps)
        if evaluations:
            output = None if outputs.output is None else Path(outputs.output, UNKNOWN_CLASS)
            outputs = dataclasses.replace(outputs, output=output, results=None)
        others = evaluate(ModelJob(model, apart, groups.unknown), outputs)
        ending = APART if evaluations else ""
        evaluations |= {source + ending: found for source, found in others.items()}
    return evaluations


def _settings(model: Model, match: ClassMatch, settings: EvaluationSettings) -> EvaluationSettings:
    """The settings as far as they count here, the rest from the model's recipe."""
    own = model.recipe.evaluation
    return dataclasses.replace(
        settings,
        split=SCORED,
        maps=settings.maps or own.maps,
        batch_size=own.batch_size,
        classes=match.groups,
    )


def _match(
    model: Model, known: ModelClasses, split: ManifestSplit, settings: EvaluationSettings
) -> ClassMatch:
    """The annotated classes matched with the model's; ``UserError`` where the user has to choose."""
    named = dict(zip(split.class_keys, split.classes, strict=True))
    recipes = {key: own for key, own in model.recipe.evaluation.classes.items() if key in named}
    match = match_classes(known, named, {**recipes, **settings.classes})
    if match.findings:
        raise UserError.of(match.findings)
    return match


def _annotated(
    manifest: Manifest, images: Path | str, annotations: Path | str | Sequence[Path | str]
) -> ManifestSplit:
    """The annotated images; says what was decided about odd input."""
    split = manifest.split(SCORED) if SCORED in manifest.splits else None
    if split is None or not split.annotated:
        named = [annotations] if isinstance(annotations, str | Path) else annotations
        raise UserError(
            f"{', '.join(map(str, named))}: no boxes or masks in it for the images in {images}"
        )
    for note in manifest.info["notes"]:
        if "no label" not in note:  # told below, of the annotated ones
            say(f"note: {note}")
    return split


def _tell(groups: ImageGroups, match: ClassMatch, known: ModelClasses) -> None:
    """Say how the images are scored, and which are not."""
    images = sum(groups.unknown.splits.values())
    scored = groups.n_known + groups.n_unknown
    annotated = scored + len(groups.without_object)
    number = "" if scored == annotated else f" {scored:,} are"
    say(f"{annotated:,} of {images:,} images are annotated, and{number} scored")
    for note in match.notes:
        say(f"note: {note}")
    if ids := groups.without_object:
        say(f"{counted(len(ids), 'image')} without object in no figure: {listed(ids)}")
    reasons = []
    if groups.foreign:
        classes = list(groups.foreign)
        number = sum(groups.foreign.values())
        reasons.append(
            f"{counted(number, 'image')} of {counted(len(classes), 'class')} that the model does not "
            f"know: {told_unknown(known, classes)} (--classes says which of the model's stand for them)"
        )
    if groups.n_unlabelled:
        reasons.append(f"{counted(groups.n_unlabelled, 'image')} without a class")
    for reason in reasons:
        say(reason)
    if reasons:
        apart = "scored apart from the others, " if groups.n_known else "scored "
        say(f"{counted(groups.n_unknown, 'image')} {apart}by the map of the predicted class")
