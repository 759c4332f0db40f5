"""What the files of a source's masks hold: void, codes that may mean two things, declared values."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from wsol.data.annotations.annotated import AnnotatedImage
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.masks.declared_masks import with_declared
from wsol.data.annotations.masks.mask_files import MaskFile, VoidOf
from wsol.errors import UserError
from wsol.files.pictures.images import mask_array
from wsol.files.pictures.mask_file import HALF, LOSSY, VOID, codes_in, mask_pixels
from wsol.files.pictures.opening import load, opened

MANY_CODES = 64  # a mask of more codes beside 255 rather has soft edges
MIDDLE = (48, 208)  # grey values that a JPEG of a mask has at its edges only
PHOTOGRAPH = 0.2  # so many of its pixels in the middle are no edges


class _Look(NamedTuple):
    """What one mask holds: pixels of void, codes beside a 255 that may be void, and what else it is."""

    void: int = 0
    codes: tuple[int, ...] = ()
    full: bool = False
    kind: str = ""


def survey_masks(
    path: Path, images: list[AnnotatedImage], reading: AnnotationPass
) -> list[AnnotatedImage]:
    """The images of the source ``path`` with what their mask files say beyond the object.

    Without ``reading.mask_values`` the void of palettes becomes ignored objects, with a note, and
    grey masks in which 255 may be void or the object are a finding. With it, see `with_declared`.
    """
    files = [
        item.mask.path
        for image in images
        for item in image.objects
        if isinstance(item.mask, MaskFile) and not item.ignore
    ]
    files = list(dict.fromkeys(files))
    if not files:
        return images
    reading.reads_masks = True
    if reading.mask_values is not None:
        return with_declared(path, images, files, reading.mask_values, reading)
    with ThreadPoolExecutor() as pool:
        looks = dict(zip(files, pool.map(_look, files), strict=True))
    _tell(path, looks, reading)
    return [_with_void(image, looks) for image in images]


def _with_void(image: AnnotatedImage, looks: dict[Path, _Look]) -> AnnotatedImage:
    void = tuple(
        item._replace(mask=VoidOf(item.mask.path), ignore=True, box=None)
        for item in image.objects
        if isinstance(item.mask, MaskFile) and not item.ignore and looks[item.mask.path].void
    )
    return replace(image, objects=(*image.objects, *void)) if void else image


def _look(path: Path) -> _Look:
    """A file that cannot be read holds nothing here: whoever needs its pixels says so."""
    try:
        if path.suffix.lower() == ".npy":
            array = mask_array(path)
            return _look_at_codes(array) if array.dtype == np.uint8 and array.ndim == 2 else _Look()
        with opened(path) as image:
            if image.format in LOSSY:
                load(image, path)
                return _look_at_lossy(np.asarray(image.convert("L")))
            if image.mode not in ("L", "P"):
                return _Look()
            load(image, path)
            if image.mode == "L":
                return _look_at_codes(np.asarray(image))
            void = mask_pixels(image).void
            return _Look(0 if void is None else int(void.sum()), full=_several(np.asarray(image)))
    except (UserError, FileNotFoundError):
        return _Look(kind="unreadable")


def _look_at_lossy(grey: np.ndarray) -> _Look:
    middle = np.count_nonzero((grey > MIDDLE[0]) & (grey < MIDDLE[1]))
    if middle > PHOTOGRAPH * grey.size:
        return _Look(kind="photograph")
    # A black mask is one without object; a nearly black one holds codes.
    return _Look(kind="dark" if 8 < grey.max() < HALF or 0 < np.median(grey) < 8 else "lossy")


def _look_at_codes(grey: np.ndarray) -> _Look:
    found = codes_in(grey)
    codes = tuple(code for code in found if 0 < code < VOID)
    ambiguous = VOID in found and 0 < len(codes) <= MANY_CODES and not _evenly_spaced(codes)
    return _Look(codes=codes if ambiguous and _solid(grey, codes) else (), full=_several(grey))


def _several(codes: np.ndarray) -> bool:
    """Whether no pixel is 0, and not all are alike."""
    return bool(codes.all()) and bool((codes != codes.flat[0]).any())


def _evenly_spaced(codes: tuple[int, ...]) -> bool:
    """Whether these are levels of grey, e.g. 51, 102, 153, 204: how many of five people agree."""
    return any(
        all(abs(code - max(1, round(code * count / VOID)) * VOID / count) <= 1 for code in codes)
        for count in range(2, 17)
    )


def _solid(grey: np.ndarray, codes: tuple[int, ...]) -> bool:
    """Whether a code fills 3 x 3 pixels somewhere: the soft edge of an object never does."""
    height, width = grey.shape
    if height < 3 or width < 3:
        return True
    middle = grey[1:-1, 1:-1]
    same = np.isin(middle, codes)
    for y in range(3):
        for x in range(3):
            same &= grey[y : y + height - 2, x : x + width - 2] == middle
    return bool(same.any())


def _tell(path: Path, looks: dict[Path, _Look], reading: AnnotationPass) -> None:
    option = reading.option("mask-values")
    void = [look.void for look in looks.values() if look.void]
    if void:
        reading.notes.append(
            f"{path}: 255 is void in {_count(void, 'palette mask')}, as in Pascal VOC: {sum(void):,} "
            f"pixels are not scored; if they are the object: {option} object=1-255"
        )
    kinds = {kind: [file for file, look in looks.items() if look.kind == kind] for kind in _KINDS}
    if coded := [(file, look.codes) for file, look in looks.items() if look.codes]:
        file, codes = coded[0]
        shown = ", ".join(map(str, codes[:5]))
        reading.findings.append(
            f"{path}: {_count(coded, 'grey mask')} with 255 beside codes ({shown} in {file.name}): "
            f"say whether 255 is void, {option} object=1-254 ignore=255, or not, object=1-255"
        )
    if all(look.full for look in looks.values()):
        reading.notes.append(
            f"{path}: no mask has a pixel of 0, so that each image is object from edge to edge; if "
            f"one value is background, name the others: {option} object=1"
        )
    if lossy := kinds["lossy"]:
        reading.notes.append(
            f"{path}: {_count(lossy, 'mask')} as JPEG, whose edges are blurred: the object is what is "
            "at least half bright; PNG keeps masks as they are drawn"
        )
    for kind in ("photograph", "dark"):
        reading.findings += [f"{file}: {_KINDS[kind]}" for file in kinds[kind]]


_KINDS = {
    "lossy": "",
    "photograph": "looks like a photograph, not like a mask; name the folder of the masks",
    "dark": "a JPEG without bright pixels; if its values are codes, save it as PNG: JPEG blurs them",
}


def _count(items: Iterable[object], what: str) -> str:
    number = len(list(items))
    return f"{number:,} {what}{'' if number == 1 else 's'}"
