"""``wsol robustness RUN...``: class and box under FGSM and PGD, runs in one table and picture."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsol.cli.classes import HELP as CLASSES_HELP
from wsol.cli.classes import classes_of
from wsol.cli.parser import Parser, at_least, folder
from wsol.cli.run_arguments import add_machine, add_runs, numbers, open_runs, tell_of_few
from wsol.errors import UserError
from wsol.progress import is_first_rank

# The settings of a run's recipe that have an option of the same name.
ASKED = ("split", "protocol", "thresholds")


def main(argv: Sequence[str]) -> int:
    """Attack, score, and write the table and the picture."""
    arguments = _parser().parse(argv)
    names = list(dict.fromkeys(arguments.attacks.split(",")))
    epsilons = list(dict.fromkeys(numbers(arguments.epsilons, "--epsilons")))
    _refuse_idle(arguments, names)
    from wsol.pipeline.robustness.attacks import Attack
    from wsol.pipeline.robustness.outputs import draw, write_table
    from wsol.pipeline.robustness.robustness import robustness

    attacks = [
        Attack(
            name,
            epsilon,
            random_start=not arguments.from_image,
            **{key: value for key, value in _of_pgd(arguments).items() if value is not None},
        )
        for name in names
        for epsilon in epsilons
    ]
    said = {key: getattr(arguments, key) for key in ASKED}
    settings = {key: value for key, value in said.items() if value is not None}
    if arguments.maps:
        settings["maps"] = arguments.maps.split(",")
    if arguments.classes is not None:
        settings["classes"] = classes_of(arguments.classes)
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
    pgd.add_argument("--steps", type=at_least(1), help="default: 10")
    pgd.add_argument("--step-size", type=_positive, help="in 1/255; default: 2.5 epsilon / steps")
    pgd.add_argument("--restarts", type=at_least(1), help="default: 1")
    pgd.add_argument("--from-image", action="store_true", help="no random start")
    pgd.add_argument("--seed", type=at_least(0), help="of the random starts; default: 0")
    what = parser.add_argument_group("what is scored")
    what.add_argument("--maps", help="map sources by commas; default: the first of each run's own")
    what.add_argument("--manifest", help="folder of a manifest; default: each run's own")
    what.add_argument("--classes", help=CLASSES_HELP)
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


def _of_pgd(arguments: argparse.Namespace) -> dict[str, Any]:
    """What is asked of PGD by numbers; None is its default."""
    return {key: getattr(arguments, key) for key in ("steps", "step_size", "restarts", "seed")}


def _refuse_idle(arguments: argparse.Namespace, attacks: Sequence[str]) -> None:
    """``UserError`` where an option of PGD would change nothing."""
    asked = [
        f"--{key.replace('_', '-')}" for key, value in _of_pgd(arguments).items() if value is not None
    ]
    asked += ["--from-image"] * arguments.from_image
    if asked and "pgd" not in attacks:
        raise UserError(f"{', '.join(asked)}: of PGD, which --attacks {','.join(attacks)} leaves out")
    idle = [option for option in asked if option in ("--restarts", "--seed")]
    if arguments.from_image and idle:
        raise UserError(f"--from-image: without a random start {' and '.join(idle)} change nothing")


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number
