"""Outlines of objects, of whatever tool: in pixels, or as shares of an image whose size comes later."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from wsol.data.annotations.annotated import AnnotatedImage, AnnotatedObject, ObjectMask, checked_box
from wsol.data.annotations.masks.polygons import Polygons
from wsol.errors import UserError
from wsol.files.pictures.images import MAX_PIXELS

CIRCLE = 72  # corners that an outline of a circle gets

Points = Sequence[tuple[float, float]]


def outlined(
    category: str, outlines: Sequence[Points], mask: ObjectMask | None, where: str, findings: list[str]
) -> list[AnnotatedObject]:
    """The object inside ``outlines``: their mask, and the box around them; none where that is empty."""
    points = np.array([point for outline in outlines for point in outline], np.float64)
    x0, y0 = points.min(axis=0).tolist()
    x1, y1 = points.max(axis=0).tolist()
    box = checked_box((x0, y0, x1, y1), (x0, y0, x1, y1), where, findings)
    return [] if box is None else [AnnotatedObject(category, box, mask)]


def polygons(
    outlines: Sequence[Points], size: tuple[int, int] | None, where: str, findings: list[str]
) -> Polygons | None:
    """The mask inside ``outlines`` in pixels; None where the size is not known or it is a finding."""
    if size is None:
        return None
    if size[0] * size[1] > MAX_PIXELS:
        findings.append(f"{where}: the image's size, {size[1]} x {size[0]}, is too large for a mask")
        return None
    try:
        return Polygons.of([[float(v) for p in outline for v in p] for outline in outlines], size, where)
    except UserError as error:
        findings.append(str(error))
        return None


def circle(x: float, y: float, radius: float) -> Points:
    """Corners on a circle, among them its rightmost, lowest, leftmost and highest point."""
    turns = [2 * math.pi * step / CIRCLE for step in range(CIRCLE)]
    return [(x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns]


def turned_box(corners: Sequence[float], degrees: float) -> Points:
    """The corners of the box ``x0, y0, x1, y1``, turned clockwise around its centre."""
    x0, y0, x1, y1 = corners
    x, y, turn = (x0 + x1) / 2, (y0 + y1) / 2, math.radians(degrees)
    cos, sin = math.cos(turn), math.sin(turn)
    return [
        (x + (a - x) * cos - (b - y) * sin, y + (a - x) * sin + (b - y) * cos)
        for a, b in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    ]


def with_whole_masks(images: list[AnnotatedImage], where: str, notes: list[str]) -> list[AnnotatedImage]:
    """The images, those that have both outlined objects and mere boxes by their boxes alone.

    The union of their outlines would not be the mask of all their objects.
    """
    found, mixed = [], 0
    for image in images:
        outlines = [item.mask is not None for item in image.objects if not item.ignore]
        if any(outlines) and not all(outlines):
            mixed += 1
            objects = tuple(item._replace(mask=None) for item in image.objects)
            image = replace(image, objects=objects)
        found.append(image)
    if mixed:
        notes.append(
            f"{where}: {mixed} images have outlines of some objects and only boxes of others: all their "
            "objects count as boxes"
        )
    return found
