"""``wsol localize``: boxes, masks and overlays for new images."""

from __future__ import annotations

from wsol.cli.parser import Parser
from wsol.recipe import How


def main(argv: list[str]) -> int:
    """Localize every image below a folder with a trained run; prints the table's path."""
    parser = Parser("localize", "Boxes, masks and overlays for images without annotations.")
    parser.add_argument("images", help="folder of images")
    parser.add_argument("--run", required=True, help="folder of a trained run")
    parser.add_argument("--output", default="output", help="folder for boxes.csv, masks, overlays")
    parser.add_argument("--threshold", type=float, help="in [0, 1); default: the best on the run's val")
    parser.add_argument("--maps", default="cam@predicted", help="map source (wsol list maps)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    arguments = parser.parse(argv)
    from wsol.pipeline.localize import localize

    table = localize(
        arguments.images,
        arguments.run,
        arguments.output,
        threshold=arguments.threshold,
        maps=arguments.maps,
        how=How(device=arguments.device),
    )
    print(table)
    return 0
