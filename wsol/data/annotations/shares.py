"""Boxes as shares of the image's sides, 0 to 1, as YOLO and many scripts write them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from wsol.data.annotations.annotated import AnnotatedImage
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.outlines import ShareOutlines


def in_pixels(image: AnnotatedImage, size: tuple[int, int]) -> AnnotatedImage:
    """The image with its boxes and outlines in pixels; ``size`` is (height, width)."""
    if not image.shares:
        return image
    height, width = size
    scale = (width, height, width, height)
    objects = []
    for item in image.objects:
        if item.box is not None:
            x0, y0, x1, y1 = (share * side for share, side in zip(item.box.box, scale, strict=True))
            # The shares are nobody's pixels: `choe2020`, which scores the source's numbers, gets pixels.
            pixels = (x0, y0, x1, y1)
            item = item._replace(box=item.box._replace(box=pixels, source=pixels))
        if isinstance(item.mask, ShareOutlines):
            item = item._replace(mask=item.mask.in_pixels(size))
        objects.append(item)
    return replace(image, objects=tuple(objects), size=image.size or size, shares=False)


def refuse_undeclared(path: Path, images: Iterable[AnnotatedImage], reading: AnnotationPass) -> None:
    """A finding where all boxes of a source lie within one pixel: they are shares, and nobody says so.

    Whole numbers may be a box of one pixel, the image's first.
    """
    boxes = [
        item.box
        for image in images
        if not image.shares
        for item in image.objects
        if item.box is not None
    ]
    inside = bool(boxes) and all(max(box.box) <= 1 for box in boxes)
    if inside and any(not value.is_integer() for box in boxes for value in map(float, box.box)):
        reading.findings.append(
            f"{path}: all {len(boxes)} boxes lie within one pixel: they look like shares of the image; "
            "say so by --corners shares, or write pixels"
        )
