"""The values of a mask's pixels as its file has them: numbers, and colours."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from wsol.files.pictures.images import mask_array
from wsol.files.pictures.opening import load, opened


class FileValues(NamedTuple):
    """(height, width) each: ``numbers``, and ``colours`` int32 0xRRGGBB; None where it has none.

    Palette images have both: their indices, and the colours of these.
    """

    numbers: np.ndarray | None
    colours: np.ndarray | None


def open_values(path: Path) -> FileValues:
    """The values of a picture or an array ``.npy``; alpha is left out, 1-bit images have 0 and 1.

    A colour image of grey pixels only has its grey values as numbers, too. Raises as `image_header`
    of `wsol.files.pictures.images` does.
    """
    if path.suffix.lower() == ".npy":
        array = mask_array(path)
        if array.ndim == 2:
            return FileValues(array, _grey_colours(array) if array.dtype == np.uint8 else None)
        return _of_colours(array[..., :3] if array.shape[2] >= 3 else array[..., :1])
    with opened(path) as image:
        load(image, path)
        if image.mode in ("P", "PA"):
            numbers = np.asarray(image.getchannel(0) if image.mode == "PA" else image)
            return FileValues(numbers, _packed(np.asarray(image.convert("RGB"))))
        if image.mode in ("1", "L", "LA", "La"):
            grey = np.asarray(image if image.mode in ("1", "L") else image.getchannel(0))
            return FileValues(grey.astype(np.uint8), _grey_colours(np.asarray(_bright(image))))
        if len(image.getbands()) == 1:
            return FileValues(np.asarray(image), None)  # 16 and 32 bits, fractions
        return _of_colours(np.asarray(image.convert("RGB") if image.mode != "RGB" else image))


def _bright(image: Image.Image) -> Image.Image:
    return image.convert("L") if image.mode == "1" else image.getchannel(0)


def _of_colours(pixels: np.ndarray) -> FileValues:
    grey = bool((pixels == pixels[..., :1]).all())
    colours = _packed(pixels) if pixels.shape[2] == 3 else None
    return FileValues(pixels[..., 0] if grey else None, colours)


def _packed(pixels: np.ndarray) -> np.ndarray:
    red, green, blue = (pixels[..., band].astype(np.int32) for band in range(3))
    return (red << 16) | (green << 8) | blue


def _grey_colours(grey: np.ndarray) -> np.ndarray:
    return grey.astype(np.int32) * 0x010101
