"""Progress of long work: a bar on a terminal, plain lines elsewhere, on rank 0 only."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

# Off a terminal (a log file, CI) one line at most every so many seconds.
PLAIN_INTERVAL = 10.0

_saved = ""


def is_first_rank() -> bool:
    """Whether this process speaks for all; true outside torchrun."""
    return os.environ.get("RANK", "0") == "0"


def world_size() -> int:
    """How many processes torchrun has started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def say(line: str) -> None:
    """One line for the reader, from rank 0.

    Where nobody can read it (a closed pipe, a lost terminal, a full disk under a log) the work goes on.
    """
    if is_first_rank():
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)


def note_saved(what: str) -> None:
    """Remember what of the work is safe, for the line that a stopped command ends with."""
    global _saved
    _saved = what


def what_is_saved() -> str:
    """What `note_saved` was told last; empty where nothing was."""
    return _saved


def track(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """The items, with progress shown while they are consumed."""
    if not is_first_rank():
        yield from items
    elif sys.stderr is not None and sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track as bar

        console = Console(stderr=True)
        yield from bar(items, description=what, total=total, console=console, transient=True)
    else:
        yield from _plain_lines(items, total, what)


def _plain_lines(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    started = last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= PLAIN_INTERVAL and done < total:
            rest = (now - started) / done * (total - done)
            say(f"{what}: {done}/{total}, about {rest:.0f} s left")
            last = now
