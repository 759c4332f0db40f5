"""One image of both sides: as shapes for the best pair, as objects for one-to-one matching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.data.annotations.annotated import AnnotatedImage, AnnotatedObject, union
from wsol.evaluation.objects.class_names import ClassCodes
from wsol.evaluation.objects.image_objects import ImageObjects
from wsol.evaluation.objects.region import Region
from wsol.evaluation.overlap import Overlap, Shapes, check_size, overlap, table_row


@dataclass(frozen=True)
class Side:
    """One side of an image: ``items`` (n) as annotated, ``regions`` (n) their masks where decoded."""

    items: list[AnnotatedObject]
    regions: list[Region | None]

    @classmethod
    def of(cls, items: Sequence[AnnotatedObject], *, masks: bool) -> Side:
        """The objects that are there; masks are decoded where ``masks`` are compared or alone."""
        kept, regions = [], []
        for item in items:
            region = None
            if item.mask is not None and (masks or item.box is None):
                region = Region.of(item.mask.pixels())
            # A mask without pixels says that there is no object.
            if item.box is not None or (region is not None and region.area):
                kept.append(item)
                regions.append(region)
        return cls(kept, regions)

    def shapes(self) -> Shapes:
        """All that counts as boxes and as one mask, and what does not count."""
        boxes = [item.box.box for item in self.items if item.box is not None and not item.ignore]
        masks: list[list[_Decoded]] = [[], []]
        for item, region in zip(self.items, self.regions, strict=True):
            if region is not None and item.mask is not None:
                masks[item.ignore].append(_Decoded(item.mask.where, region))
        return Shapes(np.array(boxes, np.float32).reshape(-1, 4), union(masks[0]), union(masks[1]))

    def named(self, place: int) -> AnnotatedObject | None:
        """The object that the box ``place`` in `shapes` is of; None where it is of several."""
        counted = [item for item in self.items if not item.ignore]
        boxed = [item for item in counted if item.box is not None] or counted
        if boxed[0].box is None and len(boxed) > 1:
            return None
        return boxed[place]

    def category(self) -> str:
        """The class of all its objects that count, empty where they have several."""
        names = {item.category for item in self.items if not item.ignore}
        return names.pop() if len(names) == 1 else ""

    def objects(self, codes: ClassCodes, side: str, shapes: Shapes, *, scored: bool) -> ImageObjects:
        """As arrays. An object with a mask alone has the rectangle of it.

        That is the rectangle around all of its pixels, or of the largest contour, as of the best pair,
        where the mask is all that the image has.
        """
        counted = sum(not item.ignore for item in self.items)
        boxes = np.zeros((len(self.items), 4))
        for place, (item, region) in enumerate(zip(self.items, self.regions, strict=True)):
            if item.box is not None:
                boxes[place] = item.box.box
            elif region is not None:
                alone = counted == 1 and not item.ignore
                boxes[place] = shapes.as_boxes()[0] if alone else region.box
        return ImageObjects(
            boxes,
            np.array([_code(item, codes, side) for item in self.items], np.int32),
            np.array([item.ignore for item in self.items], bool),
            np.array([item.score or 0.0 for item in self.items], np.float64) if scored else None,
            tuple(None if region is None or not region.area else region for region in self.regions),
            np.array([item.box is not None for item in self.items], bool),
        )


@dataclass(frozen=True)
class ImagePair:
    """An image of both sides: the best pair's ``row`` of the table, and the objects to match."""

    best: Overlap
    row: list[str]
    sides: tuple[ImageObjects, ImageObjects]
    classes: tuple[list[str], list[str]]


def image_pair(
    image_id: str,
    predicted: AnnotatedImage,
    true: AnnotatedImage,
    codes: ClassCodes,
    *,
    scored: bool,
) -> ImagePair:
    """Compare both sides of an image as the field does, and make their objects ready for matching.

    ``UserError`` where masks differ in size or cannot be read.
    """
    given = [
        item._replace(category=codes.spelled.get(item.category, item.category))
        for item in predicted.objects
        if not item.ignore
    ]
    masks = all(
        any(item.mask is not None and not item.ignore for item in items)
        for items in (given, true.objects)
    )
    guess, truth = Side.of(given, masks=masks), Side.of(true.objects, masks=masks)
    shapes = guess.shapes(), truth.shapes()
    best = overlap(image_id, *shapes)
    sizes = [next((region.size for region in side.regions if region), None) for side in (guess, truth)]
    if sizes[0] and sizes[1]:
        check_size(image_id, sizes[0], sizes[1])
    sides = (
        guess.objects(codes, "predicted", shapes[0], scored=scored),
        truth.objects(codes, "true", shapes[1], scored=False),
    )
    classes = [item.category for item in guess.items], [item.category for item in truth.items]
    return ImagePair(best, _row(best, guess, truth), sides, classes)


def _row(best: Overlap, guess: Side, truth: Side) -> list[str]:
    if best.pair is None:
        score = guess.items[0].score if len(guess.items) == 1 else None
        return table_row(best, (truth.category(), guess.category()), score)
    one, other = truth.named(best.pair[1]), guess.named(best.pair[0])
    names = [
        side.category() if item is None else item.category
        for side, item in ((truth, one), (guess, other))
    ]
    return table_row(best, names, None if other is None else other.score)


def _code(item: AnnotatedObject, codes: ClassCodes, side: str) -> int:
    # A region that does not count and has no class takes predictions of every class.
    return -1 if item.ignore and not item.category else codes.code(side, item.category)


@dataclass(frozen=True)
class _Decoded:
    """A mask that was read already."""

    where: str
    region: Region

    def pixels(self) -> np.ndarray:
        """(height, width) bool."""
        return self.region.pixels()
