"""The ways in which corners of boxes are written, and the one way they are kept."""

from __future__ import annotations

from collections.abc import Sequence

RULES = {
    "half-open": "x1, y1 lie just past the box: width is x1 - x0",
    "inclusive": "0-based, x1, y1 are the last pixel of the box: width is x1 - x0 + 1 (ILSVRC)",
    "voc": "1-based, x1, y1 are the last pixel of the box (Pascal VOC)",
}


def half_open(corners: Sequence[float], rule: str) -> tuple[float, float, float, float]:
    """Corners ``x0, y0, x1, y1``, written by ``rule``, as half-open pixels counted from 0."""
    x0, y0, x1, y1 = corners
    start = 1 if rule == "voc" else 0
    end = 1 if rule == "inclusive" else 0
    return x0 - start, y0 - start, x1 + end, y1 + end
