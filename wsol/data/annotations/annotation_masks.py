"""Masks in three forms: PNG files, COCO polygons, COCO run lengths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wsol.data.annotations.annotated import AnnotatedImage, AnnotatedObject, number
from wsol.errors import UserError
from wsol.files.pictures.images import MAX_PIXELS, open_mask

IGNORE = "_ignore"  # the suffix OpenImages30k gives to masks of regions that are not scored


@dataclass(frozen=True)
class MaskFile:
    """A PNG whose non-zero pixels are the object."""

    path: Path

    @property
    def where(self) -> str:
        """The file."""
        return str(self.path)

    def pixels(self) -> np.ndarray:
        """(height, width) bool."""
        try:
            return open_mask(self.path)
        except FileNotFoundError:
            raise UserError(f"{self.path}: no such mask") from None


@dataclass(frozen=True)
class Polygons:
    """Outlines ``x, y, x, y, ...`` in pixels; the object is their union."""

    outlines: tuple[tuple[float, ...], ...]
    size: tuple[int, int]
    where: str

    @classmethod
    def of(cls, segmentation: Any, size: tuple[int, int], where: str) -> Polygons:
        """COCO's list of outlines, checked."""
        if not isinstance(segmentation, list):
            raise UserError(f"{where}: segmentation is neither polygons nor run lengths")
        # Some tools write a single outline without the outer list, which can mean nothing else.
        outlines = segmentation if isinstance(segmentation[0], list) else [segmentation]
        return cls(tuple(_outline(outline, size, where) for outline in outlines), size, where)

    def pixels(self) -> np.ndarray:
        """(height, width) bool, by COCO's own rasteriser."""
        coco = _pycocotools(self.where)
        runs = coco.frPyObjects([list(outline) for outline in self.outlines], *self.size)
        merged = coco.merge(runs)
        merged["counts"] = merged["counts"].decode()
        return RunLengths.of(merged, self.size, self.where).pixels()


@dataclass(frozen=True)
class RunLengths:
    """Lengths of alternating runs of background and object, down the columns (COCO's RLE)."""

    counts: np.ndarray
    size: tuple[int, int]
    where: str

    @classmethod
    def of(
        cls, segmentation: dict[str, Any], image_size: tuple[int, int] | None, where: str
    ) -> RunLengths:
        """COCO's ``{"size": [height, width], "counts": list or text}``, checked against the image."""
        size = segmentation.get("size")
        sides = [number(side) for side in size] if isinstance(size, list) else []
        if len(sides) != 2 or any(side is None or side < 1 or not side.is_integer() for side in sides):
            raise UserError(f"{where}: run lengths need a size of two numbers, height and width")
        height, width = (int(side or 0) for side in sides)
        if image_size is not None and image_size != (height, width):
            raise UserError(
                f"{where}: mask of {width} x {height} pixels, the image has "
                f"{image_size[1]} x {image_size[0]}"
            )
        counts = segmentation.get("counts")
        runs = _uncompressed(counts) if isinstance(counts, str) else _counts(counts)
        if height * width > MAX_PIXELS or runs is None or sum(runs) != height * width or min(runs) < 0:
            raise UserError(f"{where}: the run lengths do not fill a mask of {width} x {height} pixels")
        return cls(np.array(runs, np.int64), (height, width), where)

    def pixels(self) -> np.ndarray:
        """(height, width) bool."""
        flat = np.repeat(np.arange(len(self.counts)) % 2 == 1, self.counts)
        return flat.reshape(self.size[1], self.size[0]).T


def read_masks(folder: Path, paths: list[Path], findings: list[str]) -> list[AnnotatedImage]:
    """Each ``NAME.png`` of ``paths`` as NAME's mask, ``NAME_ignore.png`` as what is not scored.

    Names are paths below ``folder``. A ``masks`` folder beside ``images`` belongs to these:
    ``Dog/masks/1.png`` to ``Dog/images/1.jpg``. Two masks of one name are a finding.
    """
    masks: dict[tuple[str, bool], Path] = {}
    for path in paths:
        name, ignore = path.relative_to(folder).with_suffix("").as_posix(), path.stem.endswith(IGNORE)
        first = masks.setdefault((name.removesuffix(IGNORE) if ignore else name, ignore), path)
        if first != path:
            findings.append(f"{path}: there is a mask of that name already, {first.name}")
    images = []
    for name in sorted({name for name, _ in masks}):
        own = [(masks[name, ignore], ignore) for ignore in (False, True) if (name, ignore) in masks]
        objects = tuple(AnnotatedObject(mask=MaskFile(path), ignore=ignore) for path, ignore in own)
        images.append(AnnotatedImage(name, str(own[0][0]), objects))
    return images


def _outline(outline: Any, size: tuple[int, int], where: str) -> tuple[float, ...]:
    values = [number(value) for value in outline] if isinstance(outline, list) else []
    if len(values) < 6 or len(values) % 2 or None in values:
        raise UserError(f"{where}: a polygon needs three or more points x, y")
    points = np.array(values, np.float64).reshape(-1, 2)
    # Outlines may cross the border a little. One that lies far outside belongs to another image, and the
    # rasteriser's memory would grow with its length.
    if (np.abs(points - np.array(size[::-1]) / 2) > np.array(size[::-1])).any():
        raise UserError(f"{where}: a polygon lies outside the image ({size[1]} x {size[0]})")
    return tuple(points.ravel().tolist())


def _counts(counts: Any) -> list[int] | None:
    if not isinstance(counts, list) or not counts:
        return None
    if not all(isinstance(count, int) and not isinstance(count, bool) for count in counts):
        return None
    return counts


def _uncompressed(text: str) -> list[int] | None:
    """COCO's compressed counts: 5 bits a character from the low end, differences from the third run on.

    None where the text is not of that form. pycocotools decodes it too, but does not check it.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64 or shift > 30:
            return None
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    return None if shift or not counts else counts


def _pycocotools(where: str) -> Any:
    try:
        from pycocotools import mask
    except ImportError:
        raise UserError(
            f"{where}: drawing polygons needs pycocotools; install wsol with its extra, wsol[coco]"
        ) from None
    return mask
