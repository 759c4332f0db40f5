"""The options of ``wsol evaluate``: what is scored by which of them, and what each needs besides."""

from __future__ import annotations

from argparse import Namespace

from wsol.cli.classes import HELP as CLASSES_HELP
from wsol.cli.model_arguments import MODEL_OPTION_OF, add_threads, add_trust
from wsol.cli.parser import Parser, at_least, folder, true_or_false
from wsol.data.annotations.mask_values import HELP as MASK_VALUES_HELP
from wsol.data.manifest.box_conventions import BOX_CONVENTIONS
from wsol.errors import UserError
from wsol.recipe import How

# What is scored, by the option that names it, and which others say something about it.
ALWAYS = {"protocol", "thresholds", "step", "output", "overlays", "results"}
MODEL = {"run", "model", "weights"}
ON_MANIFEST = {"maps", "manifest", "split", "classes", "device", "threads", "workers", "faithfulness"}
OPTIONS = {
    "images": ALWAYS
    | MODEL
    | {"annotations", "classes", "corners", "device", "maps", "mask_values", "stored_pixels"}
    | {"threads", "trust", "workers", "faithfulness"},
    "run": ALWAYS | ON_MANIFEST | {"trust"},
    "model": ALWAYS | ON_MANIFEST | {"weights"},
    "maps": ALWAYS | {"manifest", "predictions", "name", "split"},
}

# What an option is called in messages that speak of a recipe's key.
OPTION_OF = {
    **MODEL_OPTION_OF,
    "how.workers": "--workers",
    **{f"evaluation.{name}": f"--{name}" for name in ("classes", "maps", "split", "step", "thresholds")},
}
# The same options beside a recipe, which has a key for each.
KEY_OF = {
    **{option.removeprefix("--"): key for key, option in OPTION_OF.items() if key != "weights.file"},
    **{name: f"evaluation.{name}" for name in ("protocol", "faithfulness")},
}


def option_of(argv: list[str]) -> dict[str, str]:
    """The recipe's keys that have options here; with --config the keys are options themselves."""
    return {} if names_a_recipe(argv) else OPTION_OF


def names_a_recipe(argv: list[str]) -> bool:
    """Whether a recipe is given: its keys are the options then."""
    return any(argument.split("=")[0] == "--config" for argument in argv)


def parsed(argv: list[str]) -> tuple[str, Namespace]:
    """What is scored, one of `OPTIONS`, and all options; ``UserError`` where they do not go together."""
    arguments = _parser().parse(argv)
    given = {name for name, value in vars(arguments).items() if value is not None}
    subject = next((name for name in OPTIONS if name in given), "")
    if subject and (foreign := sorted(given - OPTIONS[subject] - {subject})):
        raise UserError(
            f"--{_options(foreign)}: not with --{subject}, which takes "
            f"--{_options(sorted(OPTIONS[subject]))}"
        )
    if missing := _missing(subject, given):
        raise UserError(missing)
    return subject, arguments


def _options(names: list[str]) -> str:
    return ", --".join(name.replace("_", "-") for name in names)


def _missing(subject: str, given: set[str]) -> str:
    """What has to be named besides; empty where all is there."""
    if subject == "images" and "annotations" not in given:
        return "--images needs --annotations PATH: COCO, VOC, CSV or masks (without any: wsol localize)"
    if subject == "images" and len(given & {"run", "model"}) != 1:
        return "--images needs one model: --run RUN, or --model timm:NAME or torchvision:NAME"
    if "annotations" in given and subject != "images":
        return "--annotations needs --images DIR, the folder of the images"
    if subject in ("model", "maps") and "manifest" not in given:
        images = ", or --images DIR --annotations PATH" if subject == "model" else ""
        return f"--{subject} needs --manifest DIR, the data set to score{images}"
    if not subject:
        return (
            "nothing to score: name --run RUN, --config RECIPE, --model NAME --manifest DIR, --maps DIR "
            "--manifest DIR, or --images DIR --annotations PATH with --run RUN or --model NAME"
        )
    return ""


def _parser() -> Parser:
    """All options are None where they are not given."""
    parser = Parser("evaluate", "Score a run, a folder of score maps (no model), or your own images.")
    subject = parser.add_argument_group("what is scored")
    subject.add_argument("--run", help="folder of a trained run")
    add_trust(subject)
    subject.add_argument("--model", help="a pretrained classifier: timm:NAME or torchvision:NAME")
    subject.add_argument("--weights", help="file of --model's weights; default: the library's own")
    subject.add_argument("--config", help="a recipe: its run is scored; see wsol train --help")
    subject.add_argument(
        "--maps", help="with a model: map sources by commas; else a folder of IMAGE_ID.npy"
    )
    subject.add_argument("--manifest", help="folder of a manifest; default with --run: the run's own")
    subject.add_argument("--predictions", help="class predictions beside --maps: image_id,top1,...,top5")
    subject.add_argument("--images", help="folder of your own images, scored with --run or --model")
    subject.add_argument(
        "--annotations",
        nargs="+",
        help="for --images: COCO or LabelMe JSON, VOC or CVAT XML, YOLO, CSV, masks",
    )
    subject.add_argument(
        "--corners",
        choices=list(BOX_CONVENTIONS),
        help="how --annotations write corners; default: as their format does",
    )
    subject.add_argument("--mask-values", nargs="+", metavar="NAME=VALUES", help=MASK_VALUES_HELP)
    subject.add_argument(
        "--stored-pixels",
        action="store_true",
        default=None,
        help="--annotations are of the images as they are stored, not as their EXIF tag turns them",
    )
    subject.add_argument("--name", help="what the board calls --maps; default: the folder's name")
    conventions = parser.add_argument_group("how")
    conventions.add_argument("--split", help="default: the recipe's, else test")
    conventions.add_argument(
        "--protocol", help="default: the recipe's, else choe2020; with --images: halfopen"
    )
    conventions.add_argument(
        "--thresholds", help="oracle, val, fixed:T; default: the recipe's, else the protocol's"
    )
    conventions.add_argument(
        "--step", type=float, help="distance between two thresholds; default: 0.001"
    )
    conventions.add_argument(
        "--classes",
        help=CLASSES_HELP,
    )
    conventions.add_argument(
        "--faithfulness",
        "--evaluation.faithfulness",
        nargs="?",
        const=True,
        type=true_or_false,
        metavar="true",
        help="deletion and insertion too: about 80 more forward passes an image and source of maps",
    )
    conventions.add_argument("--device", help="auto, cpu or cuda; default: auto")
    add_threads(conventions)
    conventions.add_argument(
        "--workers",
        type=at_least(0),
        help=f"processes that load images; default: {How().workers}",
    )
    _add_outputs(parser)
    return parser


def _add_outputs(parser: Parser) -> None:
    output = parser.add_argument_group("what is written")
    output.add_argument(
        "--output",
        type=folder,
        help="folder for metrics.json, per_image.csv, overlays and, with --images, masks; "
        "default: RUN/evaluation, with --images: output, else none",
    )
    output.add_argument(
        "--overlays", type=at_least(0), help="pictures to draw; default: 0, with --images: 12"
    )
    output.add_argument(
        "--results", type=folder, help="also append the record to RESULTS/runs, for the board"
    )
