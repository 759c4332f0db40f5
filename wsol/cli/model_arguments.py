"""The model that ``--run`` or ``--model`` and ``--weights`` name, on the device that was asked for."""

from __future__ import annotations

import argparse
from argparse import Namespace
from typing import TYPE_CHECKING

from wsol.cli.parser import at_least
from wsol.errors import UserError
from wsol.recipe import How

if TYPE_CHECKING:
    from wsol.pipeline.model import Model


def add_threads(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """The option ``--threads``, for commands that open a model."""
    parser.add_argument(
        "--threads",
        type=at_least(1),
        help=f"torch's on a CPU; default: as the run was trained, of --model: {How().threads}",
    )


def open_model(arguments: Namespace) -> Model:
    """Open it; ``UserError`` where both or neither are named."""
    if bool(arguments.run) == bool(arguments.model):
        raise UserError("name one model: --run RUN, or --model timm:NAME or torchvision:NAME")
    if arguments.weights and arguments.run:
        raise UserError("--weights goes with --model: a run has weights of its own")
    from wsol.models.weights.pretrained import is_pretrained
    from wsol.pipeline.model import Model

    if arguments.model and not is_pretrained(arguments.model):
        raise UserError(
            f"--model {arguments.model}: write timm:NAME or torchvision:NAME; a run goes by --run"
        )
    workers = getattr(arguments, "workers", None)
    how = How(
        device=arguments.device or "auto",
        threads=arguments.threads or How().threads,
        workers=How().workers if workers is None else workers,
    )
    model = Model.open(arguments.run or arguments.model, how, arguments.weights)
    if model.folder is not None and arguments.threads is None:
        model.threads = model.folder.recipe().how.threads
    return model
