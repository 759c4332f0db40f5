"""Masks that tools keep as a small picture and its place in the image."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from PIL import Image

from wsol.errors import UserError


@dataclass(frozen=True)
class PlacedMask(ABC):
    """A mask of part of an image of ``size`` (height, width), its first pixel at (``left``, ``top``).

    ``shape`` is the part's (height, width); what lies outside the image is cut off.
    """

    left: int
    top: int
    shape: tuple[int, int]
    size: tuple[int, int]
    where: str

    @abstractmethod
    def part(self) -> np.ndarray:
        """(height, width) bool of the part."""

    def pixels(self) -> np.ndarray:
        """(height, width) bool of the whole image."""
        whole = np.zeros(self.size, bool)
        rows = slice(max(self.top, 0), max(self.top + self.shape[0], 0))
        columns = slice(max(self.left, 0), max(self.left + self.shape[1], 0))
        inside = whole[rows, columns]
        part = self.part()[max(-self.top, 0) :, max(-self.left, 0) :]
        inside[:] = part[: inside.shape[0], : inside.shape[1]]
        return whole


@dataclass(frozen=True)
class PlacedRuns(PlacedMask):
    """CVAT's: lengths of alternating runs of background and object, along the rows."""

    runs: tuple[int, ...] = ()

    def part(self) -> np.ndarray:
        """(height, width) bool of the part."""
        flat = np.repeat(np.arange(len(self.runs)) % 2 == 1, self.runs)
        return flat.reshape(self.shape)


@dataclass(frozen=True)
class PlacedPicture(PlacedMask):
    """LabelMe's: a picture's bytes, whose pixels that are not 0 are the object."""

    content: bytes = b""

    def part(self) -> np.ndarray:
        """(height, width) bool of the part."""
        try:
            with Image.open(io.BytesIO(self.content), formats=["PNG"]) as picture:
                if picture.size != self.shape[::-1]:
                    raise UserError(
                        f"{self.where}: its mask has {picture.width} x {picture.height} pixels, its "
                        f"points say {self.shape[1]} x {self.shape[0]}"
                    )
                pixels = np.asarray(picture.convert("L") if picture.mode == "1" else picture)
        except UserError:
            raise
        except Exception as error:  # a damaged picture raises whatever its decoder raises
            raise UserError(f"{self.where}: its mask is no PNG picture ({error})") from error
        return pixels.reshape(*self.shape, -1)[:, :, 0] != 0
