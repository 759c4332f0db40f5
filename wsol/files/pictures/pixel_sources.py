"""One image from whatever a program holds it in: a path, a PIL image, an array, a tensor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image

from wsol.errors import UserError
from wsol.files.pictures.images import open_image

if TYPE_CHECKING:
    from torch import Tensor

    PixelSource: TypeAlias = str | os.PathLike[str] | Image.Image | np.ndarray | Tensor
else:
    PixelSource: TypeAlias = Any


def as_image(source: PixelSource) -> Image.Image:
    """The image as RGB.

    Args:
        source: a path (turned as its EXIF tag says); a PIL image; an array (height, width, 3) or
            (height, width), uint8 or floats in [0, 1]; a tensor (3, height, width) or (1, height, width)
            of the same kinds.

    Raises:
        UserError: a file that is no image, an array of another shape, type or range.
    """
    if isinstance(source, str | os.PathLike):
        return _opened(source)
    if isinstance(source, Image.Image):
        return source.convert("RGB")
    if not hasattr(source, "shape"):
        raise UserError(
            f"an image is a {type(source).__name__}: give a path, a PIL image, an array or a tensor"
        )
    channels_first = not isinstance(source, np.ndarray) and hasattr(source, "detach")
    pixels = source.detach().cpu().numpy() if channels_first else np.asarray(source)  # type: ignore[union-attr]
    if channels_first and pixels.ndim == 3:
        pixels = pixels.transpose(1, 2, 0)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim not in (2, 3) or not pixels.size or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise UserError(
            f"an image has shape {tuple(source.shape)}: give arrays (height, width, 3) "  # type: ignore[union-attr]
            "or tensors (3, height, width)"
        )
    return Image.fromarray(_to_8_bits(pixels)).convert("RGB")


def _opened(path: str | os.PathLike[str]) -> Image.Image:
    try:
        return open_image(path, exif=True)
    except FileNotFoundError:
        raise UserError(f"{os.fspath(path)}: no such image file") from None


def _to_8_bits(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    if pixels.dtype.kind != "f":
        raise UserError(f"an image has dtype {pixels.dtype}: give uint8, or floats in [0, 1]")
    if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1):
        raise UserError(
            f"an image has floats from {pixels.min():g} to {pixels.max():g}: give values in [0, 1] "
            "(neither 0 to 255 nor normalised by mean and std), or uint8"
        )
    return np.rint(pixels * 255).astype(np.uint8)
