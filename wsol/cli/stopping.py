"""Signals that stop a command: what is half-written is taken back, and the exit code says which it was.

A signal becomes an exception where the program stands, so that every ``finally`` on the way out runs:
temporary files go, earlier files stay as they were.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from wsol.progress import what_is_saved

# Windows has no SIGHUP.
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
NOTHING_SAID = "no file is left half-written; run the same command again"
# A signal that meets a finalizer comes again after so many seconds.
AGAIN = 0.05


class Stopped(KeyboardInterrupt):
    """The command was asked to end by signal ``number``."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Stop:
    """Whether a signal has come, and which.

    Kept beside the exception: a library on the way out may turn that into another one.
    """

    def __init__(self) -> None:
        self.number: int | None = None

    def _come(self, number: int, frame: FrameType | None) -> None:
        if _in_finalizer(frame):
            again = threading.Timer(AGAIN, signal.raise_signal, [number])
            again.daemon = True
            again.start()
            return
        if self.number is None:
            self.number = number
            raise Stopped(number)
        # A second one must not break into the cleaning up after the first; Ctrl-C twice may.
        if number == signal.SIGINT:
            raise Stopped(number)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within it the signals raise `Stopped`; one that is ignored (``nohup``) stays so."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {}
        told = sys.unraisablehook
        try:
            sys.unraisablehook = self._quiet(told)
            for number in SIGNALS:
                if signal.getsignal(number) != signal.SIG_IGN:
                    before[number] = signal.signal(number, self._come)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            sys.unraisablehook = told

    def _quiet(self, told: Callable[[sys.UnraisableHookArgs], object]) -> Callable[..., object]:
        """``told``, but for what finalizers say on the way out: their workers had the signal too."""

        def hook(unraisable: sys.UnraisableHookArgs) -> None:
            if self.number is None or os.environ.get("WSOL_TRACEBACK"):
                told(unraisable)

        return hook


def _in_finalizer(frame: FrameType | None) -> bool:
    """Whether an exception raised at ``frame`` would be printed by Python, and then forgotten."""
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


def words_and_code(number: int) -> tuple[str, int]:
    """The line for a command that signal ``number`` ended, and its exit code: 130 for Ctrl-C."""
    name = signal.Signals(number).name
    how = "interrupted" if name == "SIGINT" else f"stopped by {name}"
    return f"wsol: {how}: {what_is_saved() or NOTHING_SAID}", 128 + number
