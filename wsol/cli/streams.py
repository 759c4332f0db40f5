"""Standard streams that are closed, full, left by their reader, or that cannot print every name."""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
from typing import TextIO


def mend_streams() -> None:
    """Open what was closed (``2>&-``) on nothing, and print as escapes what an encoding lacks.

    A descriptor that stays closed would be given to the next file that is opened: a library's message
    to standard error would then be written into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def flush_output() -> None:
    """Write out what was printed, while an error of it can still be told."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)
    except OSError as error:
        _silence(sys.stdout)
        raise OSError(error.errno, error.strerror, "standard output") from error


def reader_has_left() -> bool:
    """Whether the reader of our output (``head``, ``less``) is gone; the rest is then not printed."""
    left = [stream for stream in (sys.stdout, sys.stderr) if _is_broken(stream)]
    for stream in left:
        _silence(stream)
    return bool(left)


def _is_broken(stream: TextIO) -> bool:
    try:
        poll = select.poll()
        poll.register(stream.fileno(), select.POLLOUT)
        return any(state & select.POLLERR for _, state in poll.poll(0))
    except (OSError, ValueError, AttributeError):  # no file at all; Windows has no poll
        return False


def _silence(stream: TextIO) -> None:
    """Let the stream write to nothing: at exit Python flushes it once more, and would complain."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
