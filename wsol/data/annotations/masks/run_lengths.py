"""Masks as run lengths, as COCO writes them for crowds and many tools for all objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wsol.data.annotations.annotated import number
from wsol.errors import UserError
from wsol.files.pictures.images import MAX_PIXELS


@dataclass(frozen=True)
class RunLengths:
    """Lengths of alternating runs of background and object, down the columns (COCO's RLE)."""

    counts: np.ndarray
    size: tuple[int, int]
    where: str

    @classmethod
    def of(
        cls, segmentation: dict[str, Any], image_size: tuple[int, int] | None, where: str
    ) -> RunLengths:
        """COCO's ``{"size": [height, width], "counts": list or text}``, checked against the image."""
        size = segmentation.get("size")
        sides = [number(side) for side in size] if isinstance(size, list) else []
        if len(sides) != 2 or any(side is None or side < 1 or not side.is_integer() for side in sides):
            raise UserError(f"{where}: run lengths need a size of two numbers, height and width")
        height, width = (int(side or 0) for side in sides)
        if image_size is not None and image_size != (height, width):
            raise UserError(
                f"{where}: mask of {width} x {height} pixels, the image has "
                f"{image_size[1]} x {image_size[0]}"
            )
        counts = segmentation.get("counts")
        runs = _uncompressed(counts) if isinstance(counts, str) else _counts(counts)
        if height * width > MAX_PIXELS or runs is None or sum(runs) != height * width or min(runs) < 0:
            raise UserError(f"{where}: the run lengths do not fill a mask of {width} x {height} pixels")
        return cls(np.array(runs, np.int64), (height, width), where)

    def pixels(self) -> np.ndarray:
        """(height, width) bool."""
        flat = np.repeat(np.arange(len(self.counts)) % 2 == 1, self.counts)
        return flat.reshape(self.size[1], self.size[0]).T


def _counts(counts: Any) -> list[int] | None:
    if not isinstance(counts, list) or not counts:
        return None
    if not all(isinstance(count, int) and not isinstance(count, bool) for count in counts):
        return None
    return counts


def _uncompressed(text: str) -> list[int] | None:
    """COCO's compressed counts: 5 bits a character from the low end, differences from the third run on.

    None where the text is not of that form. pycocotools decodes it too, but does not check it.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64 or shift > 30:
            return None
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    return None if shift or not counts else counts
