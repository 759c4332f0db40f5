"""``wsol iou``: IoU of given boxes or masks with the truth; no model, no score map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wsol.cli.parser import Parser
from wsol.data.annotated import AnnotatedImage
from wsol.data.annotations import match_images, read_annotations
from wsol.data.corners import RULES
from wsol.errors import UserError
from wsol.evaluation.masks import read_mask
from wsol.evaluation.overlap import Shapes, overlaps, totals, write_overlaps

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
        "--corners", choices=list(RULES), help="how both write corners; by default as their formats do"
    )
    arguments = parser.parse(argv)
    true, ids = _shapes(arguments.annotations, arguments.corners)
    predicted, result_ids = _shapes(arguments.predictions, arguments.corners)
    # Results in COCO's form know their images by id alone: that id is then their name.
    names = {key: ids[key] for key, name in result_ids.items() if key == name and key in ids}
    predicted = _by_name({names.get(key, key): shapes for key, shapes in predicted.items()}, true)
    found = overlaps(predicted, true)
    write_overlaps(arguments.output, found)
    empty = sum(shapes.empty for shapes in true.values())
    left_out = f", {empty} without an object left out" if empty else ""
    print(f"{len(found)} images{left_out}; every image in {arguments.output}")
    for key, metric in totals(found).items():
        print(f"{key:<9} {_cell(metric['value'])}  [{_cell(metric['low'])}, {_cell(metric['high'])}]")
    return 0


def _shapes(path: Path, corners: str | None) -> tuple[dict[str, Shapes], dict[str, str]]:
    """What ``path`` says of each image, by its name there; and the names by the source's own ids."""
    arrays = sorted(path.rglob("*.npy")) if path.is_dir() else []
    if arrays:
        names = [file.relative_to(path).with_suffix("").as_posix() for file in arrays]
        return {name: Shapes(mask=read_mask(file)) for name, file in zip(names, arrays, strict=True)}, {}
    annotated = read_annotations(path, corners=corners)
    if not annotated:
        raise UserError(f"{path}: no images in it")
    shapes = {
        name: Shapes(image.boxes, image.mask(), image.ignore_mask()) for name, image in annotated.items()
    }
    return shapes, {image.source_id: name for name, image in annotated.items() if image.source_id}


def _by_name(predicted: dict[str, Shapes], true: dict[str, Shapes]) -> dict[str, Shapes]:
    """Predictions under the names of the truth: ``birds/1`` answers to ``birds/1.jpg``."""
    findings: list[str] = []
    entries = [AnnotatedImage(name, "predictions") for name in predicted]
    matched, missing = match_images(list(true), entries, findings)
    if findings:
        raise UserError.of(findings)
    renamed = {name: predicted[entry.file] for name, entry in matched.items()}
    return renamed | {entry.file: predicted[entry.file] for entry in missing}


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
