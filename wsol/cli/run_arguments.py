"""The runs that a command compares, opened on the device that was asked for."""

from __future__ import annotations

import math
from argparse import Namespace
from typing import TYPE_CHECKING

from wsol.cli.model_arguments import open_model
from wsol.errors import UserError

if TYPE_CHECKING:
    from wsol.pipeline.model import Model


def open_runs(arguments: Namespace) -> list[Model]:
    """The models of ``arguments.runs``: run folders, or pretrained classifiers by name."""
    from wsol.models.weights.pretrained import is_pretrained

    said = vars(arguments)
    opened = []
    for name in arguments.runs:
        which = {"run": None, "model": name} if is_pretrained(name) else {"run": name, "model": None}
        opened.append(open_model(Namespace(**{"maps": "", **said, "weights": None, **which})))
    return opened


def numbers(text: str, option: str) -> list[float]:
    """``1,2,4`` as numbers; ``UserError`` where it is something else."""
    try:
        found = [float(number) for number in text.split(",")]
    except ValueError:
        found = [math.nan]
    if not all(map(math.isfinite, found)):
        raise UserError(f"{option} {text!r}: numbers with commas between, as in 1,2,4")
    return found
