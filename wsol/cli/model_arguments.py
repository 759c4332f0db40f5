"""The model that ``--run`` or ``--model`` and ``--weights`` name, on the device that was asked for."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from wsol.cli.parser import at_least
from wsol.errors import UserError
from wsol.maps import listed
from wsol.recipe import How

if TYPE_CHECKING:
    from wsol.pipeline.model import Model

# What the options of the model are called in messages that speak of a recipe's key.
MODEL_OPTION_OF = {"how.device": "--device", "how.threads": "--threads", "weights.file": "--weights"}


def add_threads(parser: Any) -> None:
    """Add ``--threads`` to a parser or a group of its arguments."""
    parser.add_argument(
        "--threads",
        type=at_least(1),
        help=f"torch's on a CPU; default: as the run was trained, of a pretrained one: {How().threads}",
    )


def add_trust(parser: Any) -> None:
    """Add ``--trust`` to a parser or a group of its arguments; None where it is not given."""
    parser.add_argument(
        "--trust",
        action="store_true",
        default=None,
        help="import the code that the run's recipe names (package.module:Name), and so run it",
    )


def open_model(arguments: Namespace) -> Model:
    """Open it; ``UserError`` where both or neither are named.

    Code that a run folder names is imported with ``--trust``, or where the same name was typed.
    """
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
    typed = [*listed(arguments.maps or ""), getattr(arguments, "protocol", None) or ""]
    trust = bool(arguments.trust) or typed
    model = Model.open(arguments.run or arguments.model, how, arguments.weights, trust=trust)
    if model.folder is not None and arguments.threads is None:
        model.threads = model.folder.recipe().how.threads
    return model
