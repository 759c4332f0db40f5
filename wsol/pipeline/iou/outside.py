"""Boxes that reach out of their image: they are compared as they are, and the user is told."""

from __future__ import annotations

from wsol.data.annotations.annotated import AnnotatedImage

# Corners that count from 1, and those rounded outwards, may lie so many pixels outside.
SLACK = 1


class Outside:
    """Counts boxes that reach more than a pixel out of their image, in images of known size."""

    def __init__(self) -> None:
        self._count = 0
        self._first = ""

    def look_at(self, *sides: AnnotatedImage) -> None:
        """What both sides say of one image, in pixels; either may tell its size."""
        size = next((image.size for image in sides if image.size), None)
        if size is None:
            return
        height, width = size
        for image in sides:
            for box in (item.box for item in image.objects if item.box and not image.shares):
                x0, y0, x1, y1 = box.box
                if min(x0, y0) < -SLACK or x1 > width + SLACK or y1 > height + SLACK:
                    self._count += 1
                    corners = " ".join(f"{number:g}" for number in box.box)
                    self._first = self._first or f"{box.where}: {corners} in {width} x {height} pixels"

    def notes(self) -> list[str]:
        """A line where there were any."""
        if not self._count:
            return []
        many = "1 box reaches" if self._count == 1 else f"{self._count} boxes reach"
        return [
            f"{many} out of the image, e.g. {self._first}: compared as they are; were they made for "
            "images of another size?"
        ]
