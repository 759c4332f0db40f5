"""How data sets write the corners of boxes, and the conversion to the one way that wsol keeps."""

from __future__ import annotations

from collections.abc import Sequence

BOX_CONVENTIONS = {
    "half-open": "x1, y1 lie just past the box: width is x1 - x0",
    "inclusive": "0-based, x1, y1 are the last pixel of the box: width is x1 - x0 + 1 (ILSVRC)",
    "voc": "1-based, x1, y1 are the last pixel of the box (Pascal VOC)",
    "shares": "all numbers are shares of the image's width and height, 0 to 1",
}


def half_open(corners: Sequence[float], convention: str) -> tuple[float, float, float, float]:
    """Corners ``x0, y0, x1, y1`` as half-open pixels counted from 0.

    ``convention``, a key of `BOX_CONVENTIONS`, says how ``corners`` are written. Shares stay shares,
    until the image's size is known.
    """
    x0, y0, x1, y1 = corners
    start = 1 if convention == "voc" else 0
    end = 1 if convention == "inclusive" else 0
    return x0 - start, y0 - start, x1 + end, y1 + end
