"""Opening image files: what the camera, the scanner or the web left in them, out comes plain RGB."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from wsol.errors import UserError
from wsol.mask_file import DAMAGE, set_pixels

# Pillow warns from 89 million pixels on and refuses from twice that: the refusal is enough. Set once,
# since setting filters for a single call is not safe among threads.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

ORIENTATION = 0x0112  # the EXIF tag; 5 to 8 swap width and height
ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}  # the last bytes of a whole file


def image_size(path: str | os.PathLike[str], *, exif: bool = False) -> tuple[int, int]:
    """(height, width) from the header; decoded only where the file's end looks cut off.

    Raises ``FileNotFoundError`` where there is no file, ``UserError`` where it is not an image or cut.
    """
    with _opened(path) as image:
        if not _ends_whole(image):
            # Some writers leave bytes behind the end: only decoding tells these from a file that is cut.
            _load(image, path)
        width, height = image.size
        if exif and image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8):
            width, height = height, width
        return height, width


def open_image(
    path: str | os.PathLike[str], *, exif: bool = False, at_least: int | None = None
) -> Image.Image:
    """The decoded image as RGB; with ``exif`` turned as its tag says.

    Grey, palette, alpha (dropped, as the field's loaders do), CMYK and 16-bit images come out as
    8-bit RGB. With ``at_least`` a JPEG is decoded at the smallest of 1/1, 1/2, 1/4 and 1/8 that leaves
    both sides so many pixels. ``UserError`` names the file where it is truncated or not an image.
    """
    with _opened(path) as image:
        if at_least is not None:
            image.draft(None, (at_least, at_least))
        _load(image, path)
        picture = ImageOps.exif_transpose(image) if exif else image
        return _to_rgb(picture)


def open_mask(path: str | os.PathLike[str]) -> np.ndarray:
    """(height, width) bool, True where a pixel is not zero, in any channel but alpha.

    In palette images the index counts. ``UserError`` names the file where it is damaged or no image.
    """
    with _opened(path) as image:
        _load(image, path)
        return set_pixels(image)


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


def _load(image: Image.Image, path: str | os.PathLike[str]) -> None:
    try:
        image.load()
    except DAMAGE as error:
        raise UserError(f"{path}: damaged image ({error}); fetch it again") from error


def _opened(path: str | os.PathLike[str]) -> Image.Image:
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
        raise UserError(f"{path}: cannot be read ({error})") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        # 16-bit grey: Pillow's own conversion clips at 255; the high byte is the picture.
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    elif image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("RGB")
