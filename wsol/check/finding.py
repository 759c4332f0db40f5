"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass


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
