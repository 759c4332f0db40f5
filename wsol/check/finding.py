"""What a check found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from wsol.errors import said

T = TypeVar("T")


@dataclass(frozen=True)
class Finding:
    """What one check expected and found; ``problem`` names what is wrong, empty where it passed."""

    check: str
    passed: bool
    expected: str
    found: str
    problem: str = ""

    @property
    def line(self) -> str:
        """The finding as one line of an error."""
        return f"{self.check}: {self.problem}: expected {self.expected}, found {self.found}"


def attempted(check: str, run: Callable[[], T]) -> T | Finding:
    """What ``run`` returns, or the failed finding of ``check`` that it raised."""
    try:
        return run()
    except Exception as error:  # Whatever a user's module raises is a finding, not a crash.
        return Finding(check, False, "no error", said(error), "raises")
