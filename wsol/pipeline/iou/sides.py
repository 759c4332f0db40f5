"""What both sides say of each image, read as one: findings of both are told together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wsol.data.annotations.annotated import AnnotatedImage
from wsol.data.annotations.annotation_matching import ImageNames, match_images
from wsol.data.annotations.annotation_pass import NO_MASKS, AnnotationPass
from wsol.data.annotations.any_format import read_by_name
from wsol.data.annotations.class_map import read_class_map
from wsol.data.annotations.mask_values import MaskValues
from wsol.errors import UserError
from wsol.scores.completeness import check_complete


@dataclass(frozen=True)
class Request:
    """What is compared, and how each side is read.

    Attributes:
        predictions: a CSV table, COCO JSON, VOC XML or a folder of masks.
        annotations: the truth, in any of these.
        corners: how both write corners, a key of `BOX_CONVENTIONS`; None: each as its format does.
        prediction_corners: how the predictions do, where it is another way.
        annotation_corners: how the annotations do.
        mask_values: what the values of both sides' mask files mean, see `MaskValues`.
        prediction_mask_values: what those of the predictions do, where it is something else.
        annotation_mask_values: what those of the annotations do.
        classes: a table of the annotations' classes and the predictions' names of them.
        images: the folder of the images, for the sizes that shares of the sides need.
        stored_pixels: images are not turned as their EXIF tag says.
        missing_is_nothing: in annotated images without a prediction nothing was found.
    """

    predictions: Path
    annotations: Path
    corners: str | None = None
    prediction_corners: str | None = None
    annotation_corners: str | None = None
    mask_values: Sequence[str] | None = None
    prediction_mask_values: Sequence[str] | None = None
    annotation_mask_values: Sequence[str] | None = None
    classes: Path | None = None
    images: Path | None = None
    stored_pixels: bool = False
    missing_is_nothing: bool = False


@dataclass(frozen=True)
class Sides:
    """Both sides by image.

    ``true`` are the annotated images by their name, ``predicted`` the predicted ones by theirs, and
    ``names`` the latter name of each of the former. ``stands_for`` and ``category_names`` say which
    classes are alike, see `wsol.evaluation.objects.class_names`.
    """

    true: Mapping[str, AnnotatedImage]
    predicted: Mapping[str, AnnotatedImage]
    names: Mapping[str, str]
    stands_for: dict[str, list[str]] = field(default_factory=dict)
    category_names: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_sides(request: Request) -> Sides:
    """Both sides of a comparison.

    Raises:
        UserError: all that is wrong with either, images that one side lacks.
    """
    truth = AnnotationPass(
        request.annotation_corners or request.corners,
        mask_values=_values(request.annotation_mask_values or request.mask_values),
        side="annotation",
    )
    guess = AnnotationPass(
        request.prediction_corners or request.corners,
        mask_values=_values(request.prediction_mask_values or request.mask_values),
        side="prediction",
    )
    stands_for = {} if request.classes is None else read_class_map(request.classes)
    true = _read(request.annotations, truth)
    if not true and not truth.findings:
        raise UserError(f"{request.annotations}: annotates no image: there is nothing to compare with")
    predicted = _read(request.predictions, guess)
    names, foreign = _names(predicted, true, guess)
    findings = [*truth.findings, *guess.findings, *_idle_corners(request, truth, guess)]
    findings += _idle_mask_values(request, truth, guess)
    if findings:
        raise UserError.of(findings)
    if guess.lists_only_found and predicted and not names:
        raise UserError(
            f"{request.predictions}: COCO's results name images by ids, e.g. {next(iter(predicted))!r}, "
            f"which {request.annotations} does not tell: give the COCO JSON that lists the images"
        )
    nothing = [name for name in true if name not in names]
    if nothing and not (guess.lists_only_found or request.missing_is_nothing):
        raise UserError(
            f"{request.predictions}: {len(nothing)} of the {len(true)} annotated images have no "
            f"prediction, e.g. {', '.join(nothing[:3])}: an empty file or row says that nothing was "
            "found in one, --missing-is-nothing says it of them all"
        )
    check_complete([*names, *foreign, *nothing], list(true))
    if nothing:
        guess.notes.append(
            f"{len(nothing)} of {len(true)} annotated images have no prediction: nothing was found there"
        )
        predicted, names = _with_nothing(predicted, names, nothing, request.predictions)
    # Both sides may be one file: what is to be known of it is then told once.
    notes = list(dict.fromkeys([*truth.notes, *guess.notes]))
    return Sides(true, predicted, names, stands_for, truth.category_names, notes)


def _with_nothing(
    predicted: Mapping[str, AnnotatedImage],
    names: Mapping[str, str],
    nothing: Iterable[str],
    where: Path,
) -> tuple[Mapping[str, AnnotatedImage], Mapping[str, str]]:
    """Predicted images and their names, with one without object for each of ``nothing``."""
    empty = AnnotatedImage("", str(where))
    # A name that no file can have.
    return {**predicted, "\0": empty}, {**names, **dict.fromkeys(nothing, "\0")}


def _idle_corners(request: Request, truth: AnnotationPass, guess: AnnotationPass) -> list[str]:
    """Rules for corners that no source has."""
    findings = []
    shared = []
    for side, reading, own, path in (
        ("annotation", truth, request.annotation_corners, request.annotations),
        ("prediction", guess, request.prediction_corners, request.predictions),
    ):
        if own is None:
            shared.append(reading)
        elif not reading.writes_corners:
            findings.append(
                f"--{side}-corners {own} has nothing to apply to: {path} has no corners; leave it out"
            )
    if request.corners is not None and not any(reading.writes_corners for reading in shared):
        if shared:
            before = len(shared[0].findings)
            shared[0].check_corners()
            findings += shared[0].findings[before:]
        else:
            findings.append(
                f"--corners {request.corners}: each side has a rule of its own; leave it out"
            )
    return findings


def _idle_mask_values(request: Request, truth: AnnotationPass, guess: AnnotationPass) -> list[str]:
    """Meanings of mask files that no source has."""
    own = {
        "--annotation-mask-values": (request.annotation_mask_values, truth),
        "--prediction-mask-values": (request.prediction_mask_values, guess),
    }
    shared = [reading.reads_masks for values, reading in own.values() if not values]
    idle = [option for option, (values, reading) in own.items() if values and not reading.reads_masks]
    if request.mask_values and not any(shared):
        idle.append("--mask-values")
    return [f"{option} {NO_MASKS}" for option in idle]


def _values(given: Sequence[str] | None) -> MaskValues | None:
    return MaskValues.parse(given) if given else None


def _read(path: Path, reading: AnnotationPass) -> Mapping[str, AnnotatedImage]:
    """What ``path`` says of each image, by its name there."""
    images = read_by_name(path, reading)
    if not images and not reading.lists_only_found:
        reading.findings.append(f"{path}: no images in it")
    return images


def _names(
    predicted: Mapping[str, AnnotatedImage], true: Mapping[str, AnnotatedImage], reading: AnnotationPass
) -> tuple[dict[str, str], list[str]]:
    """The predicted image of each true one, by name, and those of none: ``1`` answers to ``1.jpg``."""
    # Results in COCO's form know their images by id alone: that id is then their name.
    by_id = {image.source_id: name for name, image in true.items() if image.source_id}
    meant = {
        name: by_id.get(name, name) if image.source_id == name else name
        for name, image in predicted.items()
    }
    exact = {other: name for name, other in meant.items() if other in true}
    if len(exact) == len(meant):
        return exact, []
    own = {
        name: AnnotatedImage(meant[name], image.where, source_id=name)
        for name, image in predicted.items()
    }
    matched, missing = match_images(ImageNames(true), own.values(), reading.findings)
    return {name: image.source_id for name, image in matched.items()}, [image.file for image in missing]
