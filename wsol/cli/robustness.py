"""``wsol robustness RUN...``: class and box under FGSM and PGD, runs in one table and picture."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from wsol.cli.parser import Parser, at_least, folder
from wsol.cli.run_arguments import add_machine, add_runs, numbers, open_runs, tell_of_few
from wsol.progress import is_first_rank

# The settings of a run's recipe that have an option of the same name.
ASKED = ("split", "protocol", "thresholds")


def main(argv: Sequence[str]) -> int:
    """Attack, score, and write the table and the picture."""
    arguments = _parser().parse(argv)
    epsilons = numbers(arguments.epsilons, "--epsilons")
    from wsol.pipeline.robustness.attacks import Attack
    from wsol.pipeline.robustness.outputs import draw, write_table
    from wsol.pipeline.robustness.robustness import robustness

    attacks = [
        Attack(
            name,
            epsilon,
            steps=arguments.steps,
            step_size=arguments.step_size,
            restarts=arguments.restarts,
            random_start=not arguments.from_image,
            seed=arguments.seed,
        )
        for name in arguments.attacks.split(",")
        for epsilon in epsilons
    ]
    said = {key: getattr(arguments, key) for key in ASKED}
    settings = {key: value for key, value in said.items() if value is not None}
    if arguments.maps:
        settings["maps"] = arguments.maps.split(",")
    rows = robustness(
        open_runs(arguments),
        attacks,
        settings,
        manifest=arguments.manifest,
        per_class=arguments.images_per_class,
    )
    if is_first_rank():
        output = Path(arguments.output)
        print(write_table(rows, output / "robustness.csv"))
        print(draw(rows, output / "robustness.png"))
        tell_of_few({row.images for row in rows})
    return 0


def _parser() -> Parser:
    parser = Parser(
        "robustness",
        "Change each image a little against the network, by FGSM and PGD, and see what is left of its "
        "class and of its box at the threshold chosen on clean images.",
    )
    add_runs(parser)
    parser.add_argument("--epsilons", default="1,2,4,8", help="in 1/255 of a pixel's range, by commas")
    parser.add_argument("--attacks", default="fgsm,pgd", help="by commas")
    pgd = parser.add_argument_group("PGD")
    pgd.add_argument("--steps", type=at_least(1), default=10)
    pgd.add_argument("--step-size", type=_positive, help="in 1/255; default: 2.5 epsilon / steps")
    pgd.add_argument("--restarts", type=at_least(1), default=1)
    pgd.add_argument("--from-image", action="store_true", help="no random start")
    pgd.add_argument("--seed", type=at_least(0), default=0, help="of the random starts")
    what = parser.add_argument_group("what is scored")
    what.add_argument("--maps", help="map sources by commas; default: the first of each run's own")
    what.add_argument("--manifest", help="folder of a manifest; default: each run's own")
    what.add_argument("--split", help="default: the recipe's")
    what.add_argument("--protocol", help="default: the recipe's")
    what.add_argument(
        "--thresholds", help="oracle, val, fixed:T, on clean images; default: the recipe's"
    )
    what.add_argument("--images-per-class", type=at_least(0), default=0, help="the first; 0: all")
    parser.add_argument(
        "--output", type=folder, default="robustness", help="folder of table and picture"
    )
    add_machine(parser)
    return parser


def _positive(text: str) -> float:
    (number,) = numbers(text, "--step-size") if "," not in text else (0.0,)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number
