"""Counting what exporters write where there is nothing: boxes and parts of masks without area."""

from __future__ import annotations

from pathlib import Path


class LeftOut:
    """What was left out of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.boxes = self.parts = 0
        self._box = self._part = ""  # where the first stands

    @property
    def count(self) -> int:
        """How many things were left out."""
        return self.boxes + self.parts

    def box(self, where: object) -> None:
        """A box of no width or height."""
        self.boxes += 1
        self._box = self._box or str(where)

    def part(self, where: object, count: int = 1) -> None:
        """Parts of a segmentation that cover nothing."""
        self.parts += count
        self._part = self._part or (str(where) if count else "")

    def notes(self) -> list[str]:
        """A line for each kind that occurred."""
        lines = []
        if self.boxes:
            lines.append(
                f"{self.path}: {self.boxes} boxes of no width or height are left out, "
                f"the first in {_short(self._box, self.path)}"
            )
        if self.parts:
            lines.append(
                f"{self.path}: {self.parts} parts of segmentations are left out, of fewer than three "
                f"points or without area, the first in {_short(self._part, self.path)}"
            )
        return lines


def _short(where: str, path: Path) -> str:
    return where.removeprefix(f"{path} ")
