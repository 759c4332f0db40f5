"""Opening a picture's file: what cannot be opened or decoded is named in one line."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from PIL import Image, ImageFile, UnidentifiedImageError

from wsol.errors import UserError
from wsol.files.pictures.mask_file import DAMAGE
from wsol.files.pictures.picture_kinds import foreign_kind, read_head
from wsol.files.reading import refuse_no_file

# Pillow warns from 89 million pixels on and refuses from twice that: the refusal is enough. Set once,
# since setting filters for a single call is not safe among threads.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Its warnings of damaged EXIF name no file.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")

# So many pixels Pillow reads at most: no image is larger, so no mask and no score map may be.
MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 0)

ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}  # the last bytes of a whole file


class UnreachableFile(UserError):
    """The system cannot give the file now (permissions, a lost network share); it may be sound."""


def load(image: ImageFile.ImageFile, path: str | os.PathLike[str]) -> None:
    """Decode an opened image; ``UserError`` where it is damaged."""
    if image.format == "TIFF":
        # Pillow memory-maps an uncompressed TIFF whose name it knows, and turns its pixels wrongly.
        image.filename = ""
    try:
        image.load()
    except DAMAGE as error:
        _refuse_unreachable(path, error)
        raise UserError(f"{path}: damaged image ({error}); fetch it again") from error


def opened(path: str | os.PathLike[str]) -> ImageFile.ImageFile:
    """The image with its header read; raises as `image_size` of `wsol.files.pictures.images` does."""
    refuse_no_file(path)
    try:
        return Image.open(path)
    except FileNotFoundError:
        raise
    except UnidentifiedImageError:
        if kind := foreign_kind(os.fspath(path), read_head(path)):
            raise UserError(
                f"{path}: a file of the kind {kind}, which is not read here; save it as PNG or JPEG"
            ) from None
        what = "empty file" if Path(path).stat().st_size == 0 else "not an image"
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


def ends_whole(image: Image.Image) -> bool:
    """Whether the file ends as its format says; True of formats that say nothing of it."""
    end, file = ENDS.get(image.format or ""), getattr(image, "fp", None)
    if end is None or file is None:
        return True
    place = file.tell()
    file.seek(0, os.SEEK_END)
    file.seek(max(0, file.tell() - len(end)))
    found = file.read(len(end))
    file.seek(place)
    return found == end
