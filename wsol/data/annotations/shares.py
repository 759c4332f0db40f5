"""Boxes as shares of the image's sides, 0 to 1, as YOLO and many scripts write them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from wsol.data.annotations.annotated import AnnotatedImage
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.masks.polygons import ShareOutlines
from wsol.data.manifest.manifest_draft import DraftBox

# Boxes may stick out of the image a little; a share beyond this is a number of pixels.
OUTSIDE = 2


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
    """A finding where boxes lie within one pixel, the image's first: they are shares, undeclared.

    Whole numbers may be a box of one pixel. A few small boxes among others are a note. Boxes that were
    declared to be shares and reach far out of the image are findings: they are pixels.
    """
    count = tiny = 0
    for image in images:
        boxes = [item.box for item in image.objects if item.box is not None]
        if image.shares:
            reading.findings += [_no_share(box) for box in boxes if max(map(abs, box.box)) > OUTSIDE]
        else:
            count += len(boxes)
            tiny += sum(_within_a_pixel(box.box) for box in boxes)
    if not tiny:
        return
    which = f"all {count}" if tiny == count else f"{tiny} of {count}"
    said = f"{path}: {which} boxes lie within one pixel: they look like shares of the image"
    if 2 * tiny < count:
        reading.notes.append(said)
    else:
        reading.findings.append(f"{said}; say so by {reading.option('corners')} shares, or write pixels")


def _no_share(box: DraftBox) -> str:
    numbers = " ".join(f"{number:g}" for number in box.box)
    return f"{box.where}: {numbers} are no shares of the image, 0 to 1; a file holds shares or pixels"


def _within_a_pixel(box: tuple[float, float, float, float]) -> bool:
    return max(box) <= 1 and not all(float(value).is_integer() for value in box)
