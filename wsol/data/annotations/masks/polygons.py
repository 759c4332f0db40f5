"""Masks as outlines, as COCO writes them for single objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wsol.data.annotations.annotated import number
from wsol.data.annotations.masks.run_lengths import RunLengths
from wsol.errors import UserError


@dataclass(frozen=True)
class Polygons:
    """Outlines ``x, y, x, y, ...`` in pixels; the object is their union."""

    outlines: tuple[tuple[float, ...], ...]
    size: tuple[int, int]
    where: str

    @classmethod
    def of(cls, segmentation: Any, size: tuple[int, int], where: str) -> Polygons:
        """COCO's list of outlines, checked; degenerate ones are left out, see `outlines_of`."""
        outlines, _ = outlines_of(segmentation, where)
        if not outlines:
            raise UserError(f"{where}: a polygon needs three or more points x, y, not all in a line")
        for outline in outlines:
            _check_inside(outline, size, where)
        return cls(outlines, size, where)

    def pixels(self) -> np.ndarray:
        """(height, width) bool, by COCO's own rasteriser."""
        coco = _pycocotools(self.where)
        runs = coco.frPyObjects([list(outline) for outline in self.outlines], *self.size)
        merged = coco.merge(runs)
        merged["counts"] = merged["counts"].decode()
        return RunLengths.of(merged, self.size, self.where).pixels()


@dataclass(frozen=True)
class ShareOutlines:
    """Outlines ``x, y, x, y, ...`` as shares of the image's sides; a mask once it has a size."""

    outlines: tuple[tuple[float, ...], ...]
    where: str

    def in_pixels(self, size: tuple[int, int]) -> Polygons:
        """The same in pixels; ``size`` is (height, width)."""
        height, width = size
        outlines = [
            [share * (height if place % 2 else width) for place, share in enumerate(outline)]
            for outline in self.outlines
        ]
        return Polygons.of(outlines, size, self.where)

    def pixels(self) -> np.ndarray:
        """Without the image's size there is no mask: ``UserError``."""
        raise UserError(
            f"{self.where}: an outline in shares of the image needs the image's size; give the images"
        )


def outlines_of(segmentation: Any, where: str) -> tuple[tuple[tuple[float, ...], ...], int]:
    """The proper outlines among COCO's list, and how many degenerate ones there are beside them.

    Degenerate are those of fewer than three points, with points that are no finite numbers, and with
    all points in a line: stray clicks, which exporters keep. An empty outline is none at all.
    ``UserError`` where something else stands there, or coordinates that come in no pairs.
    """
    if not isinstance(segmentation, list):
        raise UserError(f"{where}: segmentation is neither polygons nor run lengths")
    # Some tools write a single outline without the outer list, which can mean nothing else.
    flat = bool(segmentation) and not isinstance(segmentation[0], list)
    outlines = [segmentation] if flat else segmentation
    proper, degenerate = [], 0
    for outline in outlines:
        values = outline if isinstance(outline, list) else [None]
        points = tuple(v if isinstance(v, float) else number(v) for v in values)
        if None in points:
            raise UserError(f"{where}: a polygon is a list of numbers x, y, x, y, ...")
        if len(values) > 6 and len(values) % 2:
            raise UserError(f"{where}: a polygon has {len(values)} numbers, which are no pairs x, y")
        points = tuple(value for value in points if value is not None)
        if len(points) >= 6 and np.isfinite(points).all() and not _in_a_line(points):
            proper.append(points)
        else:
            degenerate += bool(points)
    return tuple(proper), degenerate


def _in_a_line(outline: tuple[float, ...]) -> bool:
    points = np.array(outline).reshape(-1, 2)
    with np.errstate(all="ignore"):  # what overflows lies outside every image and is told of as that
        steps = points - points[0]
        lengths = np.hypot(*steps.T)
        x, y = steps[lengths.argmax()]
        # Twice the area of the triangles with the farthest point, against rounding.
        areas = np.abs(steps[:, 0] * y - steps[:, 1] * x)
        return bool((areas <= 1e-9 * lengths.max() ** 2).all())


def _check_inside(outline: tuple[float, ...], size: tuple[int, int], where: str) -> None:
    points = np.array(outline).reshape(-1, 2)
    # Outlines may cross the border a little. One that lies far outside belongs to another image, and the
    # rasteriser's memory would grow with its length.
    if (np.abs(points - np.array(size[::-1]) / 2) > np.array(size[::-1])).any():
        raise UserError(f"{where}: a polygon lies outside the image ({size[1]} x {size[0]})")


def _pycocotools(where: str) -> Any:
    try:
        from pycocotools import mask
    except ImportError:
        raise UserError(
            f"{where}: drawing polygons needs pycocotools; install wsol with its extra, wsol[coco]"
        ) from None
    return mask
