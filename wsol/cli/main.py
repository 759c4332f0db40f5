"""``wsol COMMAND``: finds the command's file, and turns errors into one line and an exit code.

Commands are imported only when they run, so that help costs nothing.
Exit codes: 0 done; 2 wrong use or bad input; 130 interrupted.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys

from wsol import __version__
from wsol.errors import UserError, suggest
from wsol.progress import is_first_rank

# The command, and what it is for. Its file is wsol/cli/<name>.py, dashes as underscores.
COMMANDS = {
    "demo": "train CAM, RFGA, TDAM and LTPA on the embedded data set, evaluate, board, report",
    "prepare": "turn a data set in its official layout into a manifest",
    "train": "train one recipe",
    "evaluate": "score a run, a folder of score maps, or your own images",
    "benchmark": "train and evaluate recipes and seeds, skipping what is done, then the board",
    "leaderboard": "regenerate leaderboard.csv and leaderboard.md from the run records",
    "results": "verify records against their arrays, rescore, add, remove, list them",
    "report": "one HTML page: the table, curves and overlays",
    "iou": "IoU of given boxes or masks against annotations, no model",
    "localize": "boxes, masks and overlays for new images",
    "data": "check a manifest's images, or draw its contact sheet",
    "list": "what there is: attention, backbones, methods, datasets, protocols, maps, metrics",
    "check": "run an attention module through the contract",
    "env": "versions, threads and devices of this machine, for a bug report",
    "new-attention": "write the template of an attention module and its test",
}


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    if argv[0] == "--version":
        print(f"wsol {__version__}")
        return 0
    command, arguments = argv[0], argv[1:]
    try:
        if command not in COMMANDS:
            raise UserError(f"unknown command {command!r}{suggest(command, COMMANDS)}")
        module = importlib.import_module(f"wsol.cli.{command.replace('-', '_')}")
        # Under torchrun one process tells what came out; their lines would run into each other.
        told = contextlib.nullcontext() if is_first_rank() else contextlib.redirect_stdout(io.StringIO())
        with told:
            return module.main(arguments) or 0
    except UserError as error:
        print(f"wsol: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("wsol: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) has left; what was to be written is written.
        sys.stderr.close()
        return 0
    except OSError as error:
        # A folder that is a file, a full disk, no permission: the system's own words name the path.
        print(f"wsol: error: {error}", file=sys.stderr)
        return 2


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {purpose}" for name, purpose in COMMANDS.items()]
    return "\n".join(
        [
            "usage: wsol COMMAND [--help] ...",
            "",
            "A benchmark suite for weakly-supervised object localization.",
            "",
            *lines,
            "",
            "wsol COMMAND --help tells more.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
