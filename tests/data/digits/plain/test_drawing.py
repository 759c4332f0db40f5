"""Every test's images, pixel by pixel, against the slow plain version in conftest."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest

from wsol.data.digits.drawing import draw
from wsol.data.digits.material import glyphs, textures
from wsol.data.digits.tests import digits_set
from wsol.data.layouts.digits import scene_of

SEED, IMAGES = 3, 2


class Scenes:
    """What stands in one image of each test, from its words alone."""

    patch = None

    def __init__(self, words, thing, place: int, train: bool, side: int) -> None:
        self.words, self.thing, self.place, self.train = words, thing, place, train
        self.label, self.side = place % 7, side

    def between(self, first: int, last: int) -> int:
        return self.words.between(first * self.side // 64, last * self.side // 64)

    def single(self, side: int, digit: int, code: int = 2, number: int = -1, margin: int = 1):
        return self.thing(side, side, margin, [(1000, digit, code, number)])

    def one_object(self, count: int, label: int | None):
        ranges = [(10, 52), *[(10, 28)] * (count - 1)] if self.train else [(18, 28)] * count
        sides = [self.between(*each) for each in ranges]
        slot = self.words.below(count)
        return self.around(sides, slot, label)

    def around(self, sides, slot: int, label: int | None):
        things = [self.single(side, 7 + self.words.below(3)) for side in sides]
        if label is not None:
            things[slot] = self.single(sides[slot], label, 1, 0)
        return things

    def base(self, distractors: int = 2):
        return self.one_object(1 + distractors, self.label)

    def company(self, companions: int = 1):
        words, count = self.words, 3 + companions
        sides = [self.between(14, 22) for _ in range(count)]
        away, slots = words.order(6), words.order(count)
        things = [self.single(side, 7 + words.below(3)) for side in sides]
        for number, slot in enumerate(slots[: 1 + companions]):
            digit = self.label if number == 0 else (self.label + 1 + away[number - 1]) % 7
            things[slot] = self.single(sides[slot], digit, 1 if number == 0 else 3, number)
        return things

    def scale(self, side: int = 0):
        ranges = {12: (10, 14), 21: (19, 23), 30: (28, 32), 40: (37, 43), 49: (46, 52)}
        turn = list(ranges)[self.place // 7 % 5]
        return self.around([self.between(*ranges[side or turn])] * 3, 0, self.label)

    def several(self, instances: int = 3, spacing: str = "apart"):
        apart = spacing == "apart"
        sides = [self.between(*((14, 18) if apart else (13, 16)))]
        sides += [self.between(*((14, 18) if apart else (13, 16))) for _ in range(2)]
        if apart:
            sides += [self.between(14, 18) for _ in range(instances - 1)]
        others = [self.single(side, 7 + self.words.below(3)) for side in sides[-2:]]
        gap, height = -(-self.side // 8), sides[0]
        if not apart:
            cells = [(1000 * (n + 1) // instances, self.label, 1, n) for n in range(instances)]
            return [self.thing(height, height * instances, gap, cells), *others]
        own = [self.single(side, self.label, 1, n, gap) for n, side in enumerate(sides[:-2])]
        return [*own, *others]

    def none(self):
        return self.one_object(3, None if self.place % 2 else self.place // 2 % 7)

    def parts(self, share: float = 0.5):
        words = self.words
        heights = [self.between(16, 20) for _ in range(3)]
        shares = [words.between(250, 750) if self.train else round(1000 * share) for _ in range(3)]
        slot = words.below(3)
        firsts, seconds = ([7 + words.below(3) for _ in range(3)] for _ in range(2))
        instead, right, things = 8 + words.below(2), words.below(2), []
        for n, (height, first, second) in enumerate(zip(heights, firsts, seconds, strict=True)):
            digits = [instead if digit == 7 else digit for digit in (first, second)]
            told = [(digits[0], 3, -1), (digits[1], 3, -1)]
            if n == slot:
                told = [(7, 2, 0), (self.label, 1, 0)] if right else [(self.label, 1, 0), (7, 2, 0)]
            ends = accumulate((1000 - shares[n], shares[n]) if right else (shares[n], 1000 - shares[n]))
            cells = [(end, *cell) for end, cell in zip(ends, told, strict=True)]
            things.append(self.thing(height, 2 * height, 1, cells))
        return things

    def context(self, share: float = 0.9, texture: str = "correlated"):
        things, words = self.one_object(3, self.label), self.words
        another, own = (self.label + 1 + words.below(6)) % 7, words.below(1000) < 1000 * share
        shown, free = self.label if own else another, words.below(7)
        if texture == "uncorrelated":
            shown = free
        side, half = self.side, self.side // 2
        rest = side - half
        left_right_up_down = [(0, 0, side, half), (0, rest, side, half), (0, 0, half, side)]
        self.patch = (shown, *[*left_right_up_down, (rest, 0, half, side)][words.below(4)])
        return things


CASES = [
    ("base", "train", {}, 64),
    ("base", "test", {"distractors": 4}, 64),
    ("base", "val", {"distractors": 0}, 64),
    ("company", "test", {"companions": 2}, 64),
    ("scale", "test", {"side": 49}, 64),
    ("several", "test", {"instances": 4}, 64),
    ("several", "val", {"instances": 3, "spacing": "touching"}, 64),
    ("several", "test", {}, 57),
    ("none", "test", {}, 64),
    ("parts", "train", {}, 64),
    ("parts", "test", {"share": 0.25}, 64),
    ("context", "train", {"share": 0.8}, 64),
    ("context", "test", {"texture": "uncorrelated"}, 64),
]
NUMBERS = {
    name: number
    for number, name in enumerate(
        ("base", "company", "scale", "several", "none", "parts", "context"), start=1
    )
}


@pytest.mark.parametrize(("name", "split", "options", "side"), CASES)
def test_images_are_those_of_the_plain_version(plain, image_words, thing, name, split, options, side):
    digits = digits_set(name, **options)
    scene, draws = scene_of(digits, split, IMAGES, side, SEED)
    (drawn,) = draw(scene, glyphs(SEED, split), textures(), side, draws)
    own = [int(1000 * digits["share"])] if (name, split) == ("context", "train") else []
    for place in range(IMAGES):
        words = image_words(place, SEED, NUMBERS[name], ("train", "val", "test").index(split), *own)
        scenes = Scenes(words, thing, place, split == "train", side)
        things = getattr(scenes, name)(**options)
        pixels, parts, boxes = plain(side, things, words, SEED, split).draw(textures(), scenes.patch)
        np.testing.assert_array_equal(drawn.pixels[place], pixels)
        np.testing.assert_array_equal(drawn.parts[place], parts)
        for number, box in enumerate(drawn.boxes[place].tolist()):
            assert box == boxes.get(number, [0, 0, 0, 0])
