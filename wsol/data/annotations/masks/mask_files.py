"""Masks as files, and folders of them; COCO's two forms are imported here too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsol.data.annotations.annotated import AnnotatedImage, AnnotatedObject
from wsol.data.annotations.mask_values import PixelValues
from wsol.data.annotations.masks.polygons import Polygons
from wsol.data.annotations.masks.run_lengths import RunLengths
from wsol.errors import UserError
from wsol.files.pictures.images import open_mask_pixels
from wsol.files.pictures.pixel_values import open_values

__all__ = ["IGNORE", "MaskFile", "Polygons", "RunLengths", "ValuesOf", "VoidOf", "read_masks"]

IGNORE = "_ignore"  # the suffix OpenImages30k gives to masks of regions that are not scored


@dataclass(frozen=True)
class MaskFile:
    """A file whose non-zero pixels are the object; `mask_pixels` says which are not."""

    path: Path

    @property
    def where(self) -> str:
        """The file."""
        return str(self.path)

    def pixels(self) -> np.ndarray:
        """(height, width) bool."""
        try:
            return open_mask_pixels(self.path).inside
        except FileNotFoundError:
            raise UserError(f"{self.path}: no such mask") from None


@dataclass(frozen=True)
class VoidOf(MaskFile):
    """What a mask file says is not scored: 255 of its palette."""

    def pixels(self) -> np.ndarray:
        """(height, width) bool."""
        inside, void = open_mask_pixels(self.path)
        return np.zeros(inside.shape, bool) if void is None else void


@dataclass(frozen=True)
class ValuesOf:
    """The pixels of a mask file that have declared values; ``area`` is their number."""

    path: Path
    values: PixelValues
    area: int

    @property
    def where(self) -> str:
        """The file."""
        return str(self.path)

    def pixels(self) -> np.ndarray:
        """(height, width) bool."""
        return self.values.among(open_values(self.path))


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
