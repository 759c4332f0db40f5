"""The runs that a command compares, opened on the device that was asked for."""

from __future__ import annotations

import math
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from wsol.cli.model_arguments import add_threads, add_trust, open_model
from wsol.cli.parser import at_least
from wsol.errors import UserError
from wsol.progress import say
from wsol.scores.resampling.interval import few_images

if TYPE_CHECKING:
    from wsol.pipeline.model import Model


def add_runs(parser: Any) -> None:
    """Add the runs to a parser, and a file of weights for the one of them that is none."""
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="a run folder, timm:NAME, torchvision:NAME"
    )
    parser.add_argument(
        "--weights", help="file of the weights of timm:NAME or torchvision:NAME; default: the library's"
    )


def add_machine(parser: Any) -> None:
    """Add where it is computed, and whether code that a run names may be imported."""
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--workers", type=at_least(0), help="processes that load images")
    add_threads(parser)
    add_trust(parser)


def open_runs(arguments: Namespace) -> list[Model]:
    """The models of ``arguments.runs``: run folders, or pretrained classifiers by name."""
    from wsol.models.weights.pretrained import is_pretrained

    said = {"maps": "", **vars(arguments)}
    pretrained = [name for name in arguments.runs if is_pretrained(name)]
    if said["weights"] and len(pretrained) != 1:
        found = ", ".join(pretrained) or "only run folders, which have weights of their own"
        raise UserError(f"--weights is of one network, timm:NAME or torchvision:NAME; here is {found}")
    if twice := [name for name, count in Counter(arguments.runs).items() if count > 1]:
        raise UserError(f"{twice[0]} is named twice: name each run once")
    opened = []
    for name in arguments.runs:
        if name in pretrained:
            which = {"run": None, "model": name}
        else:
            which = {"run": name, "model": None, "weights": None}
        opened.append(open_model(Namespace(**{**said, **which})))
    return opened


def tell_of_few(images: Iterable[int]) -> None:
    """Say it where intervals are over few images."""
    for count in sorted(images):
        if note := few_images(count):
            say(note)


def numbers(text: str, option: str) -> list[float]:
    """``1,2,4`` as numbers; ``UserError`` where it is something else."""
    try:
        found = [float(number) for number in text.split(",")]
    except ValueError:
        found = [math.nan]
    if not all(map(math.isfinite, found)):
        raise UserError(f"{option} {text!r}: numbers with commas between, as in 1,2,4")
    return found
