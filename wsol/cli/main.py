"""``wsol COMMAND``: finds the command's file, and turns errors into one line and an exit code.

Commands are imported only when they run, so that help costs nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
import traceback

from wsol import __version__
from wsol.cli.failures import as_typed, tell, words_of
from wsol.cli.stopping import Stop, words_and_code
from wsol.cli.streams import flush_output, mend_streams, reader_has_left
from wsol.errors import UserError, suggest
from wsol.progress import is_first_rank

EXIT_CODES = """exit codes: 0 done; 2 wrong use, bad input or a machine that cannot do it (a line says
what); 1 a bug in wsol; 130 interrupted by Ctrl-C, 143 stopped by SIGTERM, 129 by a lost terminal"""

# The command, and what it is for. Its file is wsol/cli/<name>.py, dashes as underscores.
COMMANDS = {
    "demo": "train CAM, RFGA, TDAM and LTPA on the embedded data set, evaluate, board, report",
    "prepare": "turn a data set in its official layout into a manifest",
    "propose": "propose boxes that may hold an object, for the maps of two-level attention",
    "train": "train one recipe",
    "evaluate": "score a run, a folder of score maps, or your own images",
    "benchmark": "train and evaluate recipes and seeds, skipping what is done, then the board",
    "diagnose": "say what an attention module mends and worsens, by seven tests on drawn digits",
    "leaderboard": "regenerate leaderboard.csv and leaderboard.md from the run records",
    "results": "verify records against their arrays, rescore, add, remove, list them, tell their bounds",
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
    mend_streams()
    stop = Stop()
    with stop.listening():
        try:
            code = _run(argv)
            flush_output()
            return code
        except SystemExit:
            raise
        except BaseException as error:
            return _told(error, argv, stop)


def _run(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    if argv[0] == "--version":
        print(f"wsol {__version__}")
        return 0
    command, arguments = argv[0], argv[1:]
    if command not in COMMANDS:
        raise UserError(f"unknown command {command!r}{suggest(command, COMMANDS)}")
    module = importlib.import_module(f"wsol.cli.{command.replace('-', '_')}")
    # Under torchrun one process tells what came out; their lines would run into each other.
    told = contextlib.nullcontext() if is_first_rank() else contextlib.redirect_stdout(io.StringIO())
    with told:
        try:
            return module.main(arguments) or 0
        except UserError as error:
            typed = module.option_of(arguments) if hasattr(module, "option_of") else {}
            message = as_typed(str(error), typed)
            raise error if message == str(error) else UserError(message) from error


def _told(error: BaseException, argv: list[str], stop: Stop) -> int:
    """Say in one line what ended the command; the exit code."""
    if os.environ.get("WSOL_TRACEBACK"):
        with contextlib.suppress(OSError, ValueError):
            traceback.print_exception(error)
    # A library may have turned the signal's exception into one of its own.
    if stop.number is not None or isinstance(error, KeyboardInterrupt):
        number = stop.number or getattr(error, "number", 2)
        line, code = words_and_code(number)
        tell(line)
        return code
    if isinstance(error, BrokenPipeError) and reader_has_left():
        return 0  # whoever read our output (head, less) has seen enough; files are written by then
    message, code = words_of(error, argv[0] if argv else "")
    tell(f"wsol: error: {message}")
    return code


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
            "",
            EXIT_CODES,
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
