"""The objects of a whole file as columns of numbers: a file may hold millions of small ones."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

import numpy as np

from wsol.data.annotations.annotated import AnnotatedObject, ObjectMask, Place
from wsol.data.manifest.box_conventions import half_open
from wsol.data.manifest.manifest_draft import DraftBox

BOX, IGNORED = 1, 2  # flags of a row


class Entry(NamedTuple):
    """One object as it is read.

    ``source`` are the corners as the file gives them, ``place`` the number of its line or entry.
    """

    category: str
    source: tuple[float, float, float, float] | None
    mask: ObjectMask | None
    ignore: bool
    score: float | None
    place: int


class ObjectTable:
    """Objects of one file: about 60 bytes each, and what its mask takes.

    ``before`` and ``after`` spell where an object stands: ``boxes.csv line 3``. ``convention``, a key of
    `BOX_CONVENTIONS`, says how corners are written.
    """

    def __init__(self, before: str, after: str = "", convention: str = "half-open") -> None:
        self.before, self.after, self.convention = before, after, convention
        self.categories: list[str] = []
        self._codes: dict[str, int] = {}
        self._images, self._places, self._category = array("q"), array("q"), array("i")
        self._corners, self._scores, self._flags = array("d"), array("d"), bytearray()
        self._masks: dict[int, ObjectMask] = {}
        self._order: np.ndarray | None = None

    def add(self, image: int, entry: Entry) -> None:
        """Take an object of the image of that number."""
        code = self._codes.setdefault(entry.category, len(self._codes))
        if code == len(self.categories):
            self.categories.append(entry.category)
        if entry.mask is not None:
            self._masks[len(self._images)] = entry.mask
        self._images.append(image)
        self._places.append(entry.place)
        self._category.append(code)
        self._corners.extend(entry.source or (0.0, 0.0, 0.0, 0.0))
        self._scores.append(math.nan if entry.score is None else entry.score)
        self._flags.append(BOX * (entry.source is not None) + IGNORED * entry.ignore)

    def by_image(self, images: int) -> Iterator[Sequence[AnnotatedObject]]:
        """The objects of each image, in the order they were taken; the table is complete then."""
        numbers = np.array(self._images, np.int64)
        if (np.diff(numbers) < 0).any():
            self._order = np.argsort(numbers, kind="stable")
            numbers = numbers[self._order]
        self._images = array("q")
        ends = np.searchsorted(numbers, np.arange(images), side="right")
        start = 0
        for end in map(int, ends):
            yield PackedObjects(self, start, end) if end > start else ()
            start = end

    def object(self, number: int) -> AnnotatedObject:
        """The object of that number in the order of images."""
        row = number if self._order is None else int(self._order[number])
        flags, score = self._flags[row], self._scores[row]
        box = None
        if flags & BOX:
            a, b, c, d = self._corners[4 * row : 4 * row + 4]
            source = (a, b, c, d)
            corners = source if self.convention == "half-open" else half_open(source, self.convention)
            box = DraftBox(corners, source, str(Place(self.before, self._places[row], self.after)))
        return AnnotatedObject(
            self.categories[self._category[row]],
            box,
            self._masks.get(row),
            bool(flags & IGNORED),
            None if math.isnan(score) else score,
        )


class PackedObjects(Sequence[AnnotatedObject]):
    """The objects of one image; each is made when it is asked for."""

    __slots__ = ("_end", "_start", "_table")

    def __init__(self, table: ObjectTable, start: int, end: int) -> None:
        self._table, self._start, self._end = table, start, end

    def __len__(self) -> int:
        return self._end - self._start

    @overload
    def __getitem__(self, index: int) -> AnnotatedObject: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[AnnotatedObject, ...]: ...
    def __getitem__(self, index: int | slice) -> AnnotatedObject | tuple[AnnotatedObject, ...]:
        numbers = range(self._start, self._end)[index]
        if isinstance(numbers, range):
            return tuple(map(self._table.object, numbers))
        return self._table.object(numbers)

    def __iter__(self) -> Iterator[AnnotatedObject]:
        return map(self._table.object, range(self._start, self._end))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, tuple | PackedObjects) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))
