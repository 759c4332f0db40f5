"""``wsol iou``: IoU of given boxes or masks with the truth; no model, no score map."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from wsol.cli.object_lines import object_lines
from wsol.cli.parser import Parser
from wsol.data.annotations.mask_values import HELP as MASK_VALUES_HELP
from wsol.data.manifest.box_conventions import BOX_CONVENTIONS
from wsol.errors import UserError
from wsol.pipeline.iou.comparison import compare, objects_table
from wsol.pipeline.iou.pixel_sizes import PixelSizes
from wsol.pipeline.iou.sides import Request, read_sides
from wsol.progress import say
from wsol.scores.resampling.interval import few_images

FORMATS = (
    "a CSV table (image_id,x0,y0,x1,y1), COCO .json (or a detector's results), or a folder of LabelMe "
    ".json, VOC or CVAT .xml, YOLO .txt or masks (.png, .npy ...)"
)
DESCRIPTION = (
    "IoU of predicted boxes or masks with the truth. Masks are compared as masks where both sides have "
    "them, else boxes; of several the best pair counts. Besides, all objects are matched one to one, "
    "class by class where both sides name classes: with scores as COCO does (its areas and its limit of "
    "100 predictions aside), without scores for the most pairs. Every annotated image needs a "
    "prediction: a CSV row with empty box cells, or an empty file, says that nothing was found; COCO's "
    "results say so of images that they do not name."
)
OUTPUT = (
    "table of every image: image_id; the predicted box of the best pair, x0 to y1; iou; acc@0.3 ...; "
    "class, true box, predicted class and score of the pair. Beside it lies iou_objects.csv, a row a "
    "true object and a row a prediction without one: image_id, class, box, predicted class and box, "
    "score, iou (without a match the best of its class), and the outcome at IoU 0.5: matched, missed, "
    "false positive or ignored"
)


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    arguments = _parser().parse(argv)
    options = {key: value for key, value in vars(arguments).items() if key != "output"}
    _refuse_inputs(arguments)
    sides = read_sides(Request(**options))
    _say_notes(sides.notes)
    sizes = PixelSizes(arguments.images, exif=not arguments.stored_pixels)
    found = compare(sides, arguments.output, sizes)
    _say_notes(found.notes)
    left_out = f", {found.empty} without an object left out" if found.empty else ""
    print(f"{found.images} images{left_out}; {_tables(arguments)}")
    if found.false_alarms:
        print(
            f"{found.false_alarms} predictions are in images without an object: they count in precision "
            "and AP only"
        )
    if note := few_images(found.images - found.empty):
        say(note)
    if found.objects.mean is not None:
        say("note: an image's best pair counts whatever its class; one to one, classes are compared")
    for key, metric in found.totals.items():
        print(f"{key:<9} {_cell(metric['value'])}  [{_cell(metric['low'])}, {_cell(metric['high'])}]")
    print("\n".join(object_lines(found.objects, scored=found.scored, ignored=found.ignored)))
    return 0


def _parser() -> Parser:
    parser = Parser("iou", DESCRIPTION)
    parser.add_argument("--predictions", type=Path, required=True, help=FORMATS)
    parser.add_argument("--annotations", type=Path, required=True, help="the truth, in any of these")
    parser.add_argument("--output", type=Path, default=Path("iou.csv"), help=OUTPUT)
    conventions = list(BOX_CONVENTIONS)
    parser.add_argument(
        "--corners", choices=conventions, help="how both write corners; by default as their formats do"
    )
    for side in ("prediction", "annotation"):
        parser.add_argument(
            f"--{side}-corners", choices=conventions, help=f"how the {side}s alone write corners"
        )
    parser.add_argument("--mask-values", nargs="+", metavar="NAME=VALUES", help=MASK_VALUES_HELP)
    for side in ("prediction", "annotation"):
        parser.add_argument(
            f"--{side}-mask-values", nargs="+", metavar="NAME=VALUES", help=f"of the {side}s alone"
        )
    parser.add_argument(
        "--classes",
        type=Path,
        metavar="TABLE",
        help="a CSV table where classes are called otherwise: the annotations' class, the predictions' "
        "name of it; by default names are compared, case and _ for space aside",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        help="the images, for boxes in shares (YOLO, --corners shares) where nothing else tells their "
        "size",
    )
    parser.add_argument(
        "--stored-pixels", action="store_true", help="do not turn images as their EXIF tag says"
    )
    parser.add_argument(
        "--missing-is-nothing",
        action="store_true",
        help="in annotated images without a prediction nothing was found; by default they are an error",
    )
    return parser


def _refuse_inputs(arguments: Namespace) -> None:
    """``UserError`` where a table would be written over what is read."""
    for written in (arguments.output, objects_table(arguments.output)):
        for option in ("predictions", "annotations", "classes"):
            read = getattr(arguments, option)
            if read is not None and read.resolve() == written.resolve():
                raise UserError(f"--output {arguments.output}: {written} is --{option}; choose another")


def _tables(arguments: Namespace) -> str:
    return f"every image in {arguments.output}, every object in {objects_table(arguments.output)}"


def _say_notes(notes: Sequence[str]) -> None:
    for note in notes:
        say(f"note: {note}")


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
