"""The rows of a grid that are still to be done, handed out to whoever works at it.

A row that somebody else holds (a second launcher on this folder, here or on another machine) is put off,
and looked at again when no other row is left: it is done by then, or its holder is gone.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wsol.pipeline.grid.rows import GridRow
from wsol.progress import say

# Seconds between two looks at rows that others hold.
PATIENCE = 2.0


class Answer(NamedTuple):
    """How an attempt at a row came out: ``done``, ``held`` by somebody else, or ``failed``; and why."""

    status: str
    message: str = ""


class Agenda:
    """Rows to do, safe to take from in several threads.

    Args:
        rows: in the order in which they are begun.
        is_free: whether a row that was put off can be taken now.
    """

    def __init__(self, rows: Sequence[GridRow], is_free: Callable[[GridRow], bool]) -> None:
        self.failures: list[tuple[str, str]] = []
        self._todo = deque(rows)
        self._held: deque[GridRow] = deque()
        self._told: set[str] = set()
        self._several = len(rows) > 1
        self._is_free = is_free
        self._lock, self._voice = threading.Lock(), threading.Lock()
        self._stopped = threading.Event()

    def work_off(self, attempt: Callable[[GridRow], Answer]) -> None:
        """Attempt row after row until none is left."""
        while (row := self._next()) is not None:
            status, message = attempt(row)
            with self._lock:
                if status == "held":
                    self._put_off(row, message)
                elif status == "failed" and not self._stopped.is_set():
                    self.failures.append((row.name, message))
                    if self._several:
                        self.tell(row, f"failed: {message}")

    def tell(self, row: GridRow, line: str) -> None:
        """A line about a row; those of several threads do not run into each other."""
        with self._voice:
            if not self._stopped.is_set():
                say(f"{row.name}: {line}")

    def stop(self) -> None:
        """Hand out no more rows."""
        self._stopped.set()

    def _next(self) -> GridRow | None:
        """The next row; waits while all that are left are held by others. None when none is left."""
        while not self._stopped.is_set():
            with self._lock:
                if self._todo:
                    return self._todo.popleft()
                if not self._held:
                    return None
                for _ in range(len(self._held)):
                    if self._is_free(self._held[0]):
                        return self._held.popleft()
                    self._held.rotate(-1)
            self._stopped.wait(PATIENCE)
        return None

    def _put_off(self, row: GridRow, holder: str) -> None:
        if row.name not in self._told:
            self.tell(row, f"{holder}; looked at again after the other rows")
            self._told.add(row.name)
        self._held.append(row)
