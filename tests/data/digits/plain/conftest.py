"""A slow plain second version of the generator: one image, one pixel after the other, with fractions."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest

OTHERS = (7, 8, 9)


class Thing(NamedTuple):
    """``cells``: of each its end in thousandths of the width, digit, part code, number of its object."""

    height: int
    width: int
    margin: int
    cells: list[tuple[int, int, int, int]]


class Words:
    """The words of one image: those of NumPy's own PCG64 from the image's place on."""

    def __init__(self, image: int, *seed: int) -> None:
        self.bits = np.random.PCG64(np.random.SeedSequence(seed)).advance(256 * image)

    def below(self, end: int) -> int:
        return (int(self.bits.random_raw()) >> 33) * end >> 31

    def between(self, first: int, last: int) -> int:
        return first + self.below(last - first + 1)

    def all_below(self, end: int, count: int) -> list[int]:
        return [self.below(end) for _ in range(count)]

    def order(self, count: int) -> list[int]:
        words = self.all_below(2**31, count)
        return sorted(range(count), key=lambda place: words[place])


class PlainImage:
    """One image of ``side`` pixels with ``things`` over a crop of ``ground``, or of it in a patch."""

    def __init__(self, side: int, things: list[Thing], words: Words, seed: int, split: str) -> None:
        self.side, self.things, self.words = side, things, words
        self.places = self._place_all()
        samples, self.own = plain_samples(seed, split)
        self.samples = [samples[number] for number in self._choose()]
        self.lights = [words.between(160, 255) for _ in things]

    def draw(
        self, textures: list[np.ndarray], patch: tuple[int, int, int, int, int] | None = None
    ) -> tuple[np.ndarray, np.ndarray, dict[int, list[int]]]:
        """Pixels, part codes and boxes by number of the object; ``patch``: texture, top, left, size."""
        ground = self.words.below(3)
        darkness = self.words.between(*((26, 128) if patch is None else (56, 100)))
        words = self.words.all_below(2**31, 2)
        light = plain_crop(textures[ground if patch is None else patch[0]], words, self.side)
        parts = np.zeros((self.side, self.side), int)
        if patch is not None:
            _, top, left, height, width = patch
            parts[top : top + height, left : left + width] = 3
            light = np.where(parts == 3, light, 128)
        pixels, boxes = light * darkness // 256, {}
        samples = iter(self.samples)
        for thing, place, brightness in zip(self.things, self.places, self.lights, strict=True):
            for code, number, y, x, ink in self._inked(thing, place, samples):
                pixels[y, x] = (pixels[y, x] * (256 - ink) + brightness * ink) // 256
                if ink >= 32:
                    parts[y, x] = code
                    box = boxes.setdefault(number, [x, y, x + 1, y + 1])
                    box[:2] = min(box[0], x), min(box[1], y)
                    box[2:] = max(box[2], x + 1), max(box[3], y + 1)
        return pixels, parts, boxes

    def _inked(self, thing: Thing, place: tuple, samples: Iterator) -> Iterator[tuple[int, ...]]:
        top, left, height, width = place
        ends, before, moved = [0, *(width * end // 1000 for end, *_ in thing.cells)], set(), 0
        for (first, last), (_, _, code, number) in zip(pairwise(ends), thing.cells, strict=True):
            sample = next(samples)
            ink = {
                (y, x): int(plain_value(sample, y, x, height, last - first) * 16)
                for y in range(height)
                for x in range(last - first)
            }
            seen = [at for at, value in ink.items() if value >= 32]
            while before and not any((y, first + x - moved) in before for y, x in seen):
                moved += 1  # until a pixel is a neighbour of one of the digit before
            before = {
                (y + down, first + x - moved + across)
                for y, x in seen
                for down in (-1, 0, 1)
                for across in (-1, 0, 1)
            }
            for (y, x), value in ink.items():
                yield code, number, top + y, left + first + x - moved, value

    def _place_all(self) -> list[tuple[int, int, int, int]]:
        words = self.words.all_below(2**31, len(self.things))
        order = sorted(
            range(len(self.things)),
            key=lambda one: (
                -self.things[one].margin,
                -self.things[one].height * self.things[one].width,
            ),
        )
        sizes = [(thing.height, thing.width) for thing in self.things]
        while True:
            found = self._try_all(order, words, list(sizes))
            if None not in found:
                return found  # type: ignore[return-value]
            sizes = [self._smaller(*size) for size in sizes]
            words = [(5 * word + 1) % 2**31 for word in words]

    def _try_all(self, order: list[int], words: list[int], sizes: list) -> list[tuple | None]:
        taken, places = np.zeros((self.side, self.side), bool), [None] * len(order)
        least = 10 * self.side // 64
        for turn, (word, one) in enumerate(zip(words, order, strict=True)):
            strip = least + 1 if turn == 0 and len(order) > 1 else 0
            free = self._free(taken, *sizes[one], self.things[one].margin, strip)
            while not free and min(sizes[one]) > least:
                sizes[one] = self._smaller(*sizes[one])
                free = self._free(taken, *sizes[one], self.things[one].margin, strip)
            if not free:
                return places
            y, x = free[word * len(free) >> 31]
            taken[y : y + sizes[one][0], x : x + sizes[one][1]] = True
            places[one] = (y, x, *sizes[one])
        return places

    def _smaller(self, height: int, width: int) -> tuple[int, int]:
        least = 10 * self.side // 64
        return max(least, height * 7 // 8), max(least, width * 7 // 8)

    def _free(self, taken: np.ndarray, height: int, width: int, margin: int, strip: int) -> list:
        found = []
        for y in range(self.side - height + 1):
            for x in range(self.side - width + 1):
                around = taken[max(0, y - margin) : y + height + margin, max(0, x - margin) :]
                room = max(y, x, self.side - y - height, self.side - x - width)
                if room >= strip and not around[:, : min(x, margin) + width + margin].any():
                    found.append((y, x))
        return found

    def _choose(self) -> list[int]:
        chosen: list[int] = []
        for digit in (cell[1] for thing in self.things for cell in thing.cells):
            pool, step = self.own[digit], 0
            at = self.words.below(len(pool))
            while pool[at] in chosen:
                step += 1
                at = (at + step) % len(pool)
            chosen.append(pool[at])
        return chosen


def plain_value(sample: np.ndarray, y: int, x: int, height: int, width: int) -> Fraction:
    """The sample, enlarged to height x width with half-pixel centres, at one pixel."""
    value = Fraction(0)
    for row, share in _neighbours(Fraction(2 * y + 1, 2 * height) * sample.shape[0], sample.shape[0]):
        for column, other in _neighbours(
            Fraction(2 * x + 1, 2 * width) * sample.shape[1], sample.shape[1]
        ):
            value += int(sample[row, column]) * share * other
    return value


def _neighbours(centre: Fraction, count: int) -> list[tuple[int, Fraction]]:
    at = min(max(centre - Fraction(1, 2), Fraction(0)), Fraction(count - 1))
    low = int(at)
    return [(low, 1 - (at - low)), (min(low + 1, count - 1), at - low)]


def plain_crop(texture: np.ndarray, words: list[int], side: int) -> np.ndarray:
    """64 pixels of the texture, spread over ``side``."""
    top, left = (word * (room - 65) >> 31 for word, room in zip(words, texture.shape, strict=True))
    found = np.zeros((side, side), int)
    for y in range(side):
        for x in range(side):
            row, column = Fraction(64 * y, side), Fraction(64 * x, side)
            value = Fraction(0)
            for i, high in ((int(row), 1 - row % 1), (int(row) + 1, row % 1)):
                for j, wide in ((int(column), 1 - column % 1), (int(column) + 1, column % 1)):
                    if high * wide:
                        value += int(texture[top + i, left + j]) * high * wide
            found[y, x] = int(value)
    return found


@cache
def plain_samples(seed: int, split: str) -> tuple[list[np.ndarray], dict[int, list[int]]]:
    """The ink of every handwritten sample, cut out, and the places of a split's samples by digit."""
    from sklearn.datasets import load_digits

    data = load_digits()
    words = [Words(place, seed, 0).below(2**31) for place in range(1797)]
    order = sorted(range(1797), key=lambda place: words[place])
    first, end = {"train": (0, 1078), "val": (1078, 1257), "test": (1257, 1797)}[split]
    own = {digit: [] for digit in range(10)}
    for place in sorted(order[first:end]):
        own[int(data.target[place])].append(place)
    return [_cut_out(image) for image in data.images], own


def _cut_out(image: np.ndarray) -> np.ndarray:
    rows = [y for y in range(8) if max(image[y]) >= 2]
    columns = [x for x in range(8) if max(image[:, x]) >= 2]
    left, right = columns[0], columns[-1] + 1
    if right - left < 5:
        left = min(max(left - (5 - (right - left)) // 2, 0), 3)
        right = max(right, left + 5)
    return image[rows[0] : rows[-1] + 1, left:right].astype(int)


@pytest.fixture
def plain() -> type[PlainImage]:
    """The plain version of one image."""
    return PlainImage


@pytest.fixture
def image_words() -> type[Words]:
    """The words of one image."""
    return Words


@pytest.fixture
def thing() -> type[Thing]:
    """A thing of a scene."""
    return Thing
