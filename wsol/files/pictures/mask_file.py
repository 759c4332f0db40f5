"""What the pixels of a mask file mean, and which errors a damaged one raises while it is decoded."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np
from PIL import Image

# What Pillow's decoders raise on files that are damaged, each in its own way.
DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError),
    *(struct.error, zlib.error),
)
VOID = 255  # the index of a palette that Pascal VOC gives to what is not scored
LOSSY = ("JPEG", "MPO")  # formats that blur edges: no value near an edge is as it was drawn
HALF = 128  # the least value of the object in them


class MaskPixels(NamedTuple):
    """Each (height, width) bool: the object, and what is not scored, None where nothing is."""

    inside: np.ndarray
    void: np.ndarray | None = None


def mask_pixels(image: Image.Image) -> MaskPixels:
    """The object of a mask: pixels that are not zero, in any channel but alpha.

    In palette images the index counts, and 255 is void, as in Pascal VOC; but 255 is the object
    where the palette is grey and no other index occurs: a grey mask of 0 and 255 saved with a palette.
    Of JPEGs the object is what is at least half bright. Raises one of ``DAMAGE`` where the file is
    damaged.
    """
    if image.format in LOSSY:
        return MaskPixels(np.asarray(image.convert("L")) >= HALF)
    values = np.asarray(image)
    if image.mode == "P":
        void = values == VOID
        if void.any() and not (_grey(image) and not ((values != 0) & ~void).any()):
            return MaskPixels((values != 0) & ~void, void)
    if values.ndim == 3:
        colours = len([band for band in image.getbands() if band not in "Aa"])
        return MaskPixels((values[..., :colours] != 0).any(axis=2))
    return MaskPixels(values != 0)


def codes_in(codes: np.ndarray) -> list[int]:
    """The codes that occur in (height, width) uint8, rising."""
    return np.flatnonzero(np.bincount(codes.ravel(), minlength=256)).tolist()


def _grey(image: Image.Image) -> bool:
    """Whether a palette goes from black at 0 to white at 255 with no colour between."""
    palette = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    return (
        len(palette) == 256
        and not palette[0].any()
        and bool((palette[VOID] == 255).all())
        and bool((palette == palette[:, :1]).all())
    )
