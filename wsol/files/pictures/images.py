"""Opening image files of all kinds (grey, palette, CMYK, 16-bit, turned by EXIF ...) as 8-bit RGB."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from wsol.errors import UserError
from wsol.files.pictures.mask_file import DAMAGE, set_pixels
from wsol.files.reading import refuse_no_file

# Pillow warns from 89 million pixels on and refuses from twice that: the refusal is enough. Set once,
# since setting filters for a single call is not safe among threads.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Its warnings of damaged EXIF name no file.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")

# So many pixels Pillow reads at most: no image is larger, so no mask and no score map may be.
MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 0)

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
ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}  # the last bytes of a whole file


class UnreachableFile(UserError):
    """The system cannot give the file now (permissions, a lost network share); it may be sound."""


def image_size(path: str | os.PathLike[str], *, exif: bool = False) -> tuple[int, int]:
    """(height, width) from the header; decoded only where the file's end looks cut off.

    With ``exif`` of the picture as its tag turns it, see `open_image`. Raises ``FileNotFoundError``
    where there is no file, ``UserError`` where it is not an image or cut, `UnreachableFile` where it
    cannot be read at all.
    """
    with _opened(path) as image:
        turned = exif and _orientation(image) >= 5
        if not _ends_whole(image):
            # Some programs write bytes after the end: only decoding tells such a file from a cut one.
            _load(image, path)
        width, height = image.size
        return (width, height) if turned else (height, width)


def open_image(
    path: str | os.PathLike[str], *, exif: bool = False, at_least: int | None = None
) -> Image.Image:
    """The decoded image as RGB; with ``exif`` turned as its tag says.

    A tag that is damaged, or that a PNG holds behind its pixels, turns nothing; Pillow turns TIFFs
    by itself. Grey, palette, alpha (dropped, as the field's loaders do), CMYK, 16-bit and 32-bit images
    come out as 8-bit RGB, see `_to_8_bits`. With ``at_least`` a JPEG is decoded at the smallest of 1/1,
    1/2, 1/4 and 1/8 that leaves both sides so many pixels. Raises as `image_size` does.
    """
    with _opened(path) as image:
        turn = TURNS.get(_orientation(image)) if exif else None
        if at_least is not None:
            image.draft(None, (at_least, at_least))
        _load(image, path)
        picture = _to_rgb(image, path)
        return picture if turn is None else picture.transpose(turn)


def open_mask(path: str | os.PathLike[str]) -> np.ndarray:
    """(height, width) bool, True where a pixel is not zero, in any channel but alpha.

    In palette images the index counts. Raises as `image_size` does.
    """
    with _opened(path) as image:
        _load(image, path)
        return set_pixels(image)


def open_codes(path: str | os.PathLike[str]) -> np.ndarray:
    """(height, width) uint8, the code of each pixel; in palette images the index.

    Raises as `image_size` does, and ``UserError`` where the image is neither 8-bit grey nor a palette.
    """
    with _opened(path) as image:
        if image.mode not in ("L", "P"):
            raise UserError(
                f"{path}: codes of parts must be an 8-bit grey or a palette PNG, this is of mode "
                f"{image.mode}"
            )
        _load(image, path)
        return np.array(image, np.uint8)


def _ends_whole(image: Image.Image) -> bool:
    end, file = ENDS.get(image.format or ""), getattr(image, "fp", None)
    if end is None or file is None:
        return True
    place = file.tell()
    file.seek(0, os.SEEK_END)
    file.seek(max(0, file.tell() - len(end)))
    found = file.read(len(end))
    file.seek(place)
    return found == end


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation that the header tells; 1, upright, where it is damaged or not there."""
    if image.format == "TIFF":
        return 1  # Pillow's reader has turned its size already, and will turn its pixels
    try:
        # Not a PNG's own getexif, which would decode the picture to look for a tag behind it.
        tag = Image.Image.getexif(image).get(ORIENTATION, 1)
        return tag if tag in TURNS else 1
    except (*DAMAGE, AttributeError):
        return 1


def _load(image: ImageFile.ImageFile, path: str | os.PathLike[str]) -> None:
    if image.format == "TIFF":
        # Pillow memory-maps an uncompressed TIFF whose name it knows, and turns its pixels wrongly.
        image.filename = ""
    try:
        image.load()
    except DAMAGE as error:
        _refuse_unreachable(path, error)
        raise UserError(f"{path}: damaged image ({error}); fetch it again") from error


def _opened(path: str | os.PathLike[str]) -> ImageFile.ImageFile:
    refuse_no_file(path)
    try:
        return Image.open(path)
    except FileNotFoundError:
        raise
    except UnidentifiedImageError:
        size = Path(path).stat().st_size
        what = "empty file" if size == 0 else "not an image"
        raise UserError(f"{path}: {what}; fetch it again") from None
    except Image.DecompressionBombError as error:
        raise UserError(f"{path}: too many pixels ({error}); scale it down") from error
    except DAMAGE as error:
        _refuse_unreachable(path, error)
        raise UserError(f"{path}: cannot be read ({error})") from error


def _refuse_unreachable(path: str | os.PathLike[str], error: Exception) -> None:
    """Raise `UnreachableFile` for an error of the system: unlike a decoder's, it has a number."""
    if isinstance(error, OSError) and error.errno is not None:
        raise UnreachableFile(f"{path}: cannot be read ({error.strerror})") from error


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
