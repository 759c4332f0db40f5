"""Words and an exit code for every exception that reaches the command line.

Exit codes: 2 wrong use, bad input, or a machine that cannot do it; 1 a bug in wsol.
"""

from __future__ import annotations

import contextlib
import re
import sys
import sysconfig
import traceback
from collections.abc import Mapping
from pathlib import Path

from wsol.errors import UserError
from wsol.files.writing.write_failure import REFUSALS, error_number

BUG, REFUSED = 1, 2
LONGEST = 300

# What torch, its allocators, CUDA's libraries and OpenCV say when memory runs out: no type is common.
OUT_OF_MEMORY = re.compile(
    r"out of memory|not enough memory|can't allocate memory|cannot allocate memory|unable to allocate"
    r"|insufficient memory|ALLOC_FAILED|bad allocation|bad_alloc",
    re.IGNORECASE,
)
ON_GPU = re.compile(r"CUDA|CUDNN|CUBLAS|HIP|MPS", re.IGNORECASE)
WORKER_LOST = re.compile(r"DataLoader worker \(pid\(?s?\)? .*(killed by signal|exited unexpectedly)")
SHARED_MEMORY = re.compile(r"shared memory|Bus error|/dev/shm|unable to (open|mmap|write).*torch_")
OPEN_FILES = re.compile(r"[Tt]oo many open files|ancdata")

# What a command has, to use less memory.
LESS_MEMORY = {
    **dict.fromkeys(
        ("train", "benchmark"),
        "lower --training.batch_size, --evaluation.batch_size, --data.input_size or --how.workers",
    ),
    "evaluate": "use fewer --workers, --overlays 0, or with --config a lower --evaluation.batch_size",
    "check": "lower --input-size or choose a smaller --backbone",
    "demo": "try wsol demo --small",
}
FEWER_WORKERS = {
    **dict.fromkeys(("train", "benchmark"), "--how.workers 0"),
    "evaluate": "--workers 0",
}


def words_of(error: BaseException, command: str) -> tuple[str, int]:
    """The line for an exception of ``command``, without ``wsol: error:``, and the exit code."""
    if isinstance(error, UserError):
        return str(error), REFUSED
    for said in (_of_memory(error, command), _of_workers(error, command), _of_system(error)):
        if said:
            return said, REFUSED
    if isinstance(error, UnicodeEncodeError):
        return f"{_short(error.object)!r} cannot be written in {error.encoding}: rename it", REFUSED
    if place := _users_own(error):
        said = f"{place}: {type(error).__name__}: {_short(error)}"
        return f"{said} (WSOL_TRACEBACK=1 shows how it got there)", REFUSED
    return (
        f"this is a bug in wsol: {type(error).__name__}: {_short(error)}; report it with the output of "
        "`wsol env` (WSOL_TRACEBACK=1 shows where it happened)",
        BUG,
    )


def as_typed(message: str, options: Mapping[str, str]) -> str:
    """The message with the options that were typed in place of the recipe's keys (``how.device``)."""
    for key, option in options.items():
        message = re.sub(rf"(?<![\w.-]){re.escape(key)}(?![\w.])", option, message)
    return message


def _of_memory(error: BaseException, command: str) -> str:
    if not (isinstance(error, MemoryError) or OUT_OF_MEMORY.search(str(error))):
        return ""
    mend = LESS_MEMORY.get(command, "close other programs, or take smaller images")
    where = "the GPU has" if ON_GPU.search(str(error)) else "this machine has"
    detail = f" ({_short(_first_line(error))})" if str(error) else ""
    return f"out of memory: {where} too little for this{detail}; {mend}"


def _of_workers(error: BaseException, command: str) -> str:
    text = str(error)
    fewer = FEWER_WORKERS.get(command, "fewer workers")
    if OPEN_FILES.search(text):
        return f"too many files are open: raise the limit (ulimit -n), or use {fewer}"
    lost = WORKER_LOST.search(text)
    if SHARED_MEMORY.search(text) and (lost or isinstance(error, RuntimeError | OSError)):
        return (
            "a process that loads images ran out of shared memory (/dev/shm): make it larger (docker "
            f"run --shm-size 2g), or use {fewer}"
        )
    if lost:
        return (
            "a process that loads images was killed, most often because memory ran out: use "
            f"{fewer}, or a smaller batch"
        )
    return ""


def _of_system(error: BaseException) -> str:
    """What the system refused outside of wsol's own writing, which has words of its own."""
    number = error_number(error) if isinstance(error, OSError) else None
    if number is None:
        return ""
    assert isinstance(error, OSError)
    if number in REFUSALS:
        what, mend = REFUSALS[number]
        return f"{error.filename or 'the output or a temporary file'}: {what}; {mend}"
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or _short(error)}"


def _users_own(error: BaseException) -> str:
    """File and line of the deepest frame in code that neither wsol nor an installed package holds.

    That is an attention module, a method or a metric of the user's; empty where there is none.
    """
    installed = [Path(place).resolve() for place in sysconfig.get_paths().values()]
    installed.append(Path(__file__).resolve().parents[1])
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        file = Path(frame.filename)
        if file.is_file() and not any(map(file.resolve().is_relative_to, installed)):
            place = f"{frame.filename} line {frame.lineno}"
    return place


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def _short(thing: object) -> str:
    text = " ".join(str(thing).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def tell(line: str) -> None:
    """One line on standard error; where that is gone, nobody is there to read it."""
    with contextlib.suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)
