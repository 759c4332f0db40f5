"""What the pixels of a mask file mean, and which errors a damaged one raises while it is decoded."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image

# What Pillow's decoders raise on files that are damaged, each in its own way.
DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError),
    *(struct.error, zlib.error),
)


def set_pixels(image: Image.Image) -> np.ndarray:
    """(height, width) bool, True where a pixel is not zero, in any channel but alpha.

    In palette images the index counts. Raises one of ``DAMAGE`` where the file is damaged.
    """
    values = np.asarray(image)
    if values.ndim == 3:
        colours = len([band for band in image.getbands() if band not in "Aa"])
        return (values[..., :colours] != 0).any(axis=2)
    return values != 0


def codes_in(codes: np.ndarray) -> list[int]:
    """The codes that occur in (height, width) uint8, rising."""
    return np.flatnonzero(np.bincount(codes.ravel(), minlength=256)).tolist()
