"""``wsol iou``: IoU of given boxes or masks with the truth; no model, no score map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wsol.cli.parser import Parser
from wsol.data.annotations.annotated import AnnotatedImage, AnnotatedObject
from wsol.data.annotations.annotation_masks import MaskFile
from wsol.data.annotations.annotation_matching import ImageNames, match_images
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.any_format import read_by_name
from wsol.data.annotations.image_listing import files_below
from wsol.data.annotations.mask_survey import survey_masks
from wsol.data.annotations.mask_values import HELP as MASK_VALUES_HELP
from wsol.data.annotations.mask_values import MaskValues
from wsol.data.manifest.box_conventions import BOX_CONVENTIONS
from wsol.evaluation.bootstrap import few_images
from wsol.evaluation.overlap import Shapes, overlaps, totals, write_overlaps
from wsol.progress import say

FORMATS = "a CSV table (image_id,x0,y0,x1,y1), COCO .json, VOC .xml, or a folder of masks (.png, .npy)"


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    parser = Parser(
        "iou",
        "IoU of predicted boxes or masks with the truth. Masks are compared as masks where both sides "
        "have them, else boxes; of several the best pair counts. Every annotated image needs a "
        "prediction: a CSV row with empty box cells says that nothing was found.",
    )
    parser.add_argument("--predictions", type=Path, required=True, help=FORMATS)
    parser.add_argument("--annotations", type=Path, required=True, help="the truth, in any of these")
    parser.add_argument("--output", type=Path, default=Path("iou.csv"), help="table of every image")
    parser.add_argument(
        "--corners",
        choices=list(BOX_CONVENTIONS),
        help="how both write corners; by default as their formats do",
    )
    parser.add_argument("--mask-values", nargs="+", metavar="NAME=VALUES", help=MASK_VALUES_HELP)
    for side in ("prediction", "annotation"):
        parser.add_argument(
            f"--{side}-mask-values", nargs="+", metavar="NAME=VALUES", help=f"of the {side}s alone"
        )
    arguments = parser.parse(argv)
    reading = AnnotationPass(arguments.corners)
    reading.mask_values = _mask_values(arguments.annotation_mask_values or arguments.mask_values)
    true = _read(arguments.annotations, reading)
    reading.mask_values = _mask_values(arguments.prediction_mask_values or arguments.mask_values)
    predicted = _by_name(_read(arguments.predictions, reading), true, reading)
    reading.check()
    for note in reading.notes:
        say(f"note: {note}")
    shapes = _shapes(true)
    found = overlaps(_shapes(predicted), shapes)
    write_overlaps(arguments.output, found)
    empty = sum(shape.empty for shape in shapes.values())
    left_out = f", {empty} without an object left out" if empty else ""
    print(f"{len(found)} images{left_out}; every image in {arguments.output}")
    if note := few_images(len(found) - empty):
        say(note)
    for key, metric in totals(found).items():
        print(f"{key:<9} {_cell(metric['value'])}  [{_cell(metric['low'])}, {_cell(metric['high'])}]")
    return 0


def _mask_values(given: list[str] | None) -> MaskValues | None:
    return MaskValues.parse(given) if given else None


def _read(path: Path, reading: AnnotationPass) -> dict[str, AnnotatedImage]:
    """What ``path`` says of each image, by its name there."""
    unreadable: list[str] = []
    arrays = files_below(path, (".npy",), unreadable) if path.is_dir() else []
    if not arrays:
        images = read_by_name(path, reading)
    else:
        reading.findings += unreadable
        if pictures := files_below(path, (".png",), unreadable):
            reading.findings.append(
                f"{path}: masks as .npy and as .png ({pictures[0].name}): "
                "move one kind to a folder of its own"
            )
        names = [file.relative_to(path).with_suffix("").as_posix() for file in arrays]
        masks = [
            AnnotatedImage(name, str(file), (AnnotatedObject(mask=MaskFile(file)),))
            for name, file in zip(names, arrays, strict=True)
        ]
        images = {image.file: image for image in survey_masks(path, masks, reading)}
    if not images:
        reading.findings.append(f"{path}: no images in it")
    return images


def _by_name(
    predicted: dict[str, AnnotatedImage], true: dict[str, AnnotatedImage], reading: AnnotationPass
) -> dict[str, AnnotatedImage]:
    """Predictions under the names of the truth: ``birds/1`` answers to ``birds/1.jpg``."""
    # Results in COCO's form know their images by id alone: that id is then their name.
    by_id = {image.source_id: name for name, image in true.items() if image.source_id}
    entries = [
        replace(image, file=by_id.get(name, name)) if image.source_id == name else image
        for name, image in predicted.items()
    ]
    matched, missing = match_images(ImageNames(true), entries, reading.findings)
    return matched | {image.file: image for image in missing}


def _shapes(images: dict[str, AnnotatedImage]) -> dict[str, Shapes]:
    return {
        name: Shapes(image.boxes, image.mask(), image.ignore_mask()) for name, image in images.items()
    }


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
