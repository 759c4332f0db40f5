"""Masks as outlines, as COCO writes them for single objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wsol.data.annotations.annotated import number
from wsol.data.annotations.run_lengths import RunLengths
from wsol.errors import UserError


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


def _pycocotools(where: str) -> Any:
    try:
        from pycocotools import mask
    except ImportError:
        raise UserError(
            f"{where}: drawing polygons needs pycocotools; install wsol with its extra, wsol[coco]"
        ) from None
    return mask
