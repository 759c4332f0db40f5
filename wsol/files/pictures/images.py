"""Opening image files of all kinds (grey, palette, CMYK, 16-bit, turned by EXIF ...) as 8-bit RGB."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from wsol.errors import UserError
from wsol.files.numpy_file import Limit, read_arrays
from wsol.files.pictures.mask_file import DAMAGE, MaskPixels, mask_pixels
from wsol.files.pictures.opening import MAX_PIXELS, UnreachableFile, ends_whole, load, opened
from wsol.files.reading import refuse_no_file

__all__ = ["MAX_PIXELS", "UnreachableFile", "image_header", "image_size", "open_codes", "open_image"]
__all__ += ["ImageHeader", "mask_array", "open_mask", "open_mask_pixels"]

ORIENTATION = 0x0112  # the EXIF tag
TURNS = {  # by the tag's value, 1 being upright; from 5 on width and height change places
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
BACK = {**TURNS, 6: TURNS[8], 8: TURNS[6]}  # what undoes each
PAGED = ("TIFF", "GIF", "WEBP", "AVIF", "PNG")  # formats whose files may hold several pictures
CHANNELS = 4  # of the array of a mask at most
# It has as many pixels as an image at most.
LARGEST_ARRAY = Limit(CHANNELS * MAX_PIXELS, 8 * MAX_PIXELS)


class ImageHeader(NamedTuple):
    """What a file says of its picture.

    ``stored`` is its (height, width) before its EXIF ``orientation``, 1 to 8, turns it; of ``pages``,
    one or more, the first is read.
    """

    stored: tuple[int, int]
    orientation: int
    pages: int

    @property
    def seen(self) -> tuple[int, int]:
        """(height, width) as the orientation turns it."""
        height, width = self.stored
        return (width, height) if self.orientation >= 5 else (height, width)


def image_header(path: str | os.PathLike[str]) -> ImageHeader:
    """The header, without decoding; the file's end is looked at, and decoded only where it seems cut.

    Raises ``FileNotFoundError`` where there is no file, ``UserError`` where it is not an image or cut,
    `UnreachableFile` where it cannot be read at all.
    """
    with opened(path) as image:
        orientation, pages = _orientation(image), _pages(image)
        if not ends_whole(image):
            # Some programs write bytes after the end: only decoding tells such a file from a cut one.
            load(image, path)
        width, height = image.size
        turned = image.format == "TIFF" and orientation >= 5  # Pillow's reader turns its size
        return ImageHeader((width, height) if turned else (height, width), orientation, pages)


def image_size(path: str | os.PathLike[str], *, exif: bool = False) -> tuple[int, int]:
    """(height, width) from the header; with ``exif`` as its tag turns it. Raises as `image_header`."""
    header = image_header(path)
    return header.seen if exif else header.stored


def open_image(
    path: str | os.PathLike[str], *, exif: bool = False, at_least: int | None = None
) -> Image.Image:
    """The decoded image as RGB, the first page of several; with ``exif`` turned as its tag says.

    A tag that is damaged, or that a PNG holds behind its pixels, turns nothing. Grey, palette, alpha
    (dropped, as the field's loaders do), CMYK, 16-bit and 32-bit images come out as 8-bit RGB, see
    `_to_8_bits`. With ``at_least`` a JPEG is decoded at the smallest of 1/1, 1/2, 1/4 and 1/8 that
    leaves both sides so many pixels. Raises as `image_header` does.
    """
    with opened(path) as image:
        # Pillow turns the pixels of a TIFF by itself, and those of no other format.
        turned = image.format == "TIFF"
        turns = {True: {}, False: BACK} if turned else {True: TURNS, False: {}}
        turn = turns[exif].get(_orientation(image))
        if at_least is not None:
            image.draft(None, (at_least, at_least))
        load(image, path)
        picture = _to_rgb(image, path)
        return picture if turn is None else picture.transpose(turn)


def open_mask(path: str | os.PathLike[str]) -> np.ndarray:
    """(height, width) bool, True on the object; see `mask_pixels`. Raises as `image_header` does."""
    return open_mask_pixels(path).inside


def open_mask_pixels(path: str | os.PathLike[str]) -> MaskPixels:
    """The object of a mask, a picture or an array ``.npy``, and what is not scored.

    `mask_pixels` says which pixels of a picture are meant; of an array, those not 0 in any channel.
    Raises as `image_header` does, and ``UserError`` where the values are scores, not those of a mask.
    """
    if Path(path).suffix.lower() == ".npy":
        array = mask_array(Path(path))
        _refuse_scores(array, path)
        return MaskPixels((array != 0).any(axis=2) if array.ndim == 3 else array != 0)
    with opened(path) as image:
        load(image, path)
        if image.mode in ("I", "F"):
            _refuse_scores(np.asarray(image), path)
        return mask_pixels(image)


def _refuse_scores(values: np.ndarray, path: str | os.PathLike[str]) -> None:
    """``UserError`` where a pixel is not a whole number from 0 on: that says not in or out."""
    if values.dtype.kind in "bu":
        return
    with np.errstate(invalid="ignore"):  # NaN is not whole, infinity not below
        wrong = ~((values >= 0) & (values < np.inf) & (values == np.floor(values)))
    if wrong.any():
        raise UserError(
            f"{path}: holds {values[wrong][0]:g}: the pixels of a mask are whole numbers, 0 off the "
            "object; cut scores at a threshold, or give them to wsol evaluate --maps"
        )


def mask_array(path: Path) -> np.ndarray:
    """The one array of ``.npy``, (height, width) or (height, width, channels).

    Axes of one before these, as tensors have them, are left out: (1, height, width).
    ``FileNotFoundError`` where there is no file, ``UserError`` where it holds no such array.
    """
    refuse_no_file(path)
    try:
        arrays = read_arrays(path, LARGEST_ARRAY)
    except FileNotFoundError:
        raise
    except (*DAMAGE,) as error:
        raise UserError(f"{path}: cannot read the mask: {error}") from error
    if len(arrays) != 1:
        raise UserError(f"{path}: does not hold one array; save the mask alone")
    array = arrays[0][1]
    while array.ndim > 2 and array.shape[0] == 1 and (array.ndim > 3 or array.shape[2] > CHANNELS):
        array = array[0]
    if array.ndim not in (2, 3) or array.shape[2:] > (CHANNELS,):
        raise UserError(
            f"{path}: a mask is (height, width), or with up to {CHANNELS} channels behind, this is "
            f"{arrays[0][1].shape}"
        )
    return array


def open_codes(path: str | os.PathLike[str]) -> np.ndarray:
    """(height, width) uint8, the code of each pixel; in palette images the index.

    Raises as `image_size` does, and ``UserError`` where the image is neither 8-bit grey nor a palette.
    """
    with opened(path) as image:
        if image.mode not in ("L", "P"):
            raise UserError(
                f"{path}: codes of parts must be an 8-bit grey or a palette PNG, this is of mode "
                f"{image.mode}"
            )
        load(image, path)
        return np.array(image, np.uint8)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation that the header tells; 1, upright, where it is damaged or not there."""
    try:
        # Not a PNG's own getexif, which would decode the picture to look for a tag behind it.
        tag = Image.Image.getexif(image).get(ORIENTATION, 1)
        return tag if tag in TURNS else 1
    except (*DAMAGE, AttributeError):
        return 1


def _pages(image: Image.Image) -> int:
    try:
        return getattr(image, "n_frames", 1) if image.format in PAGED else 1
    except DAMAGE:
        return 1


def _to_rgb(image: Image.Image, path: str | os.PathLike[str]) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        image = _to_8_bits(image, path)
    elif image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("RGB")


def _to_8_bits(image: Image.Image, path: str | os.PathLike[str]) -> Image.Image:
    """Grey values of more than 8 bits as 8-bit grey, rounded down.

    Of 16 bits the high byte is the picture. Values of 32 bits, whole or not, do not say which of the
    common ranges they are in: it is the smallest of 0..1 (fractions only), 0..255 and 0..65535 that
    holds all of the file's. ``UserError`` where none does.
    """
    values = np.asarray(image)
    deep = image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM"))
    if not deep:
        low, high = float(values.min()), float(values.max())  # NaN where there is one
        if not (low >= 0 and high <= 65535):
            raise UserError(
                f"{path}: values from {low:g} to {high:g} are in none of the ranges of pictures, 0..1, "
                "0..255 and 0..65535; save it with 8 or 16 bits"
            )
        if high <= 1 and image.mode == "F":
            values = values * 255
        deep = high > 255
    return Image.fromarray((values / 256 if deep else values).astype(np.uint8))
