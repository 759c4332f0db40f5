"""``wsol localize``: boxes, masks and overlays for new images."""

from __future__ import annotations

from wsol.cli.model_arguments import MODEL_OPTION_OF, add_threads, add_trust, open_model
from wsol.cli.parser import Parser, folder
from wsol.errors import UserError
from wsol.maps import listed

# What an option is called in messages that speak of a recipe's key.
OPTION_OF = {**MODEL_OPTION_OF, "evaluation.maps": "--maps"}


def option_of(argv: list[str]) -> dict[str, str]:
    """The recipe's keys that have options here."""
    return OPTION_OF


def main(argv: list[str]) -> int:
    """Localize images with a trained run or a pretrained classifier; prints the table's path."""
    parser = Parser("localize", "Boxes, masks and overlays for images without annotations.")
    parser.add_argument("images", nargs="+", help="a folder of images, one image or several")
    parser.add_argument("--run", help="folder of a trained run")
    add_trust(parser)
    parser.add_argument("--model", help="a pretrained classifier: timm:NAME or torchvision:NAME")
    parser.add_argument("--weights", help="file of --model's weights; default: the library's own")
    parser.add_argument(
        "--output", type=folder, default="output", help="folder for boxes.csv, masks/, overlays/"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        help="in [0, 1); default: the best on the run's val boxes, else the CAM paper's 0.2",
    )
    parser.add_argument(
        "--maps", default="", help="one map source (wsol list maps); default: the model's own"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    add_threads(parser)
    arguments = parser.parse(argv)
    if len(listed(arguments.maps)) > 1:
        raise UserError(f"--maps {arguments.maps}: one source at a time, such as --maps cam")
    model = open_model(arguments)
    from wsol.pipeline.own_images.localize import localize

    table = localize(
        arguments.images,
        model,
        arguments.output,
        threshold=arguments.threshold,
        maps=arguments.maps,
    )
    print(f"{table}, {arguments.output}/masks/ and {arguments.output}/overlays/")
    return 0
