"""Pixels, part codes and boxes against a plain drawing, pixel by pixel in fractions."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import cv2
import numpy as np
import pytest

from wsol.data.digits import drawing, placing

ROW = 5  # of eight images, the one that is drawn again


def between(values: np.ndarray, y: Fraction, x: Fraction) -> Fraction:
    """``values`` at a place between its pixels, bilinearly; edges go on beyond the array."""
    total = Fraction(0)
    for row in (floor(y), floor(y) + 1):
        for column in (floor(x), floor(x) + 1):
            weight = (1 - abs(y - row)) * (1 - abs(x - column))
            inside = min(max(row, 0), len(values) - 1), min(max(column, 0), values.shape[1] - 1)
            total += weight * int(values[inside])
    return total


def ground_by_hand(scene, numbers, textures, side: int) -> tuple[np.ndarray, np.ndarray]:
    which, darkness, crop = numbers
    light, codes = np.zeros((side, side), object), np.zeros((side, side), int)
    patch = scene.patch
    texture = textures[which if patch is None else patch.texture[ROW]]
    top, left = (
        int(word) * (length - 65) // 2**31 for word, length in zip(crop, texture.shape, strict=True)
    )
    for y in range(side):
        for x in range(side):
            value = floor(between(texture, top + Fraction(64 * y, side), left + Fraction(64 * x, side)))
            if patch is not None:
                inside = 0 <= y - patch.top[ROW] < patch.height[ROW]
                inside = inside and 0 <= x - patch.left[ROW] < patch.width[ROW]
                value, codes[y, x] = (value, 3) if inside else (128, 0)
            light[y, x] = value * int(darkness) // 256
    return light, codes


def ink_by_hand(sample: np.ndarray, ends: np.ndarray, height: int, width: int) -> np.ndarray:
    """Ink 0 to 256 (height, width) of the part of a sample within its ends."""
    top, left, bottom, right = ends.tolist()
    inked = sample[top:bottom, left:right]
    ink = np.zeros((height, width), int)
    for y in range(height):
        for x in range(width):
            at_y = (y + Fraction(1, 2)) * inked.shape[0] / height - Fraction(1, 2)
            at_x = (x + Fraction(1, 2)) * inked.shape[1] / width - Fraction(1, 2)
            ink[y, x] = floor(16 * between(inked, at_y, at_x))
    return ink


def joined(before: np.ndarray, seen: np.ndarray, left: int, begin: int) -> int:
    """``left`` of a thing, moved until what is ``seen`` of its next digit meets the digits ``before``.

    ``before`` (height, side) is told what it is then. Neighbours are found by OpenCV's dilation.
    """
    near = cv2.dilate(before.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    width = seen.shape[1]
    while before.any() and not (near[:, left + begin : left + begin + width] & seen).any():
        left -= 1
    before[:, left + begin : left + begin + width] |= seen
    return left


def image_by_hand(picture, material) -> tuple[np.ndarray, np.ndarray, dict[int, list[int]]]:
    """Pixels, part codes and box by instance of one image."""
    glyphs, textures = material
    things, places, side = picture.scene.things, picture.places, picture.side
    numbers = picture.ground[ROW], picture.darkness[ROW], picture.crops[ROW]
    canvas, codes = ground_by_hand(picture.scene, numbers, textures, side)
    seen: dict[int, list[tuple[int, int]]] = {}
    _, count, cells = things.digits.shape
    for thing in range(count):
        top, left, height, width = (int(part[ROW, thing]) for part in places.parts)
        before = np.zeros((height, side), bool)
        for cell in range(cells):
            begin, end = (width * int(things.edges[ROW, thing, cell + at]) // 1000 for at in (0, 1))
            if end == begin:
                continue
            sample = picture.samples[ROW, thing, cell]
            ink = ink_by_hand(glyphs.pixels[sample], glyphs.ends[sample], height, end - begin)
            left = joined(before, ink >= 32, left, begin)
            for (y, x), amount in np.ndenumerate(ink):
                at = top + y, left + begin + x
                mixed = canvas[at] * (256 - amount) + int(picture.brightness[ROW, thing]) * amount
                canvas[at] = mixed // 256
                if amount >= 32:
                    codes[at] = things.codes[ROW, thing, cell]
                    seen.setdefault(int(things.instances[ROW, thing, cell]), []).append(at)
    seen.pop(-1, None)
    boxes = {}
    for instance, pixels in seen.items():
        ys, xs = zip(*pixels, strict=True)
        boxes[instance] = [min(xs), min(ys), max(xs) + 1, max(ys) + 1]
    return canvas.astype(int), codes, boxes


@pytest.mark.parametrize(
    ("test", "size", "options"),
    [
        ("base", 64, {}),
        ("base", 70, {"distractors": 1}),
        ("company", 64, {}),
        ("scale", 52, {"side": 30}),
        ("several", 64, {"spacing": "touching"}),
        ("none", 64, {}),
        ("parts", 64, {"share": 0.25}),
        ("context", 64, {}),
    ],
)
def test_an_image_is_what_a_plain_drawing_gives(make, material, monkeypatch, test, size, options):
    pictures = []

    class Seen(drawing._Picture):
        def drawn(self, rows, *material):
            pictures.append(self)
            return super().drawn(rows, *material)

    monkeypatch.setattr(drawing, "_Picture", Seen)
    drawn = make(test, 8, size, **options).drawn(material)
    pixels, codes, boxes = image_by_hand(pictures[0], material)
    np.testing.assert_array_equal(drawn.pixels[ROW], pixels)
    np.testing.assert_array_equal(drawn.parts[ROW], codes)
    expected = [boxes.get(instance, [0] * 4) for instance in range(drawn.boxes.shape[1])]
    assert drawn.boxes[ROW].tolist() == expected
    assert bool(boxes) == (test != "none")


def test_samples_of_an_image_differ_and_are_of_their_digits(make, material, monkeypatch):
    """In `several` four things are of one digit."""
    glyphs = material[0]
    made = make("several", 300, instances=4)
    samples = drawing._samples(made.scene, glyphs, made.draws)
    for row, digits in zip(samples.reshape(300, -1), made.scene.things.digits, strict=True):
        assert len(set(row.tolist())) == 6
        assert all(one in glyphs.by_digit[digit] for one, digit in zip(row, digits[:, 0], strict=True))


@pytest.mark.parametrize(
    ("test", "options"),
    [
        ("parts", {"share": 0.25}),
        ("parts", {"share": 0.5}),
        ("parts", {"share": 0.75}),
        *(("several", {"instances": count, "spacing": "touching"}) for count in (2, 3, 4)),
    ],
)
@pytest.mark.parametrize("size", [52, 64, 90])
def test_digits_that_are_joined_are_one_component(make, material, test, size, options):
    """By OpenCV: so no ideal map loses a part of an object, or frames two that touch apart."""
    drawn = make(test, 350, size, **options).drawn(material)
    own = (1, 2) if test == "parts" else (1,)
    for parts in drawn.parts:
        count, _ = cv2.connectedComponents(np.isin(parts, own).astype(np.uint8), connectivity=8)
        assert count == 2  # the ground, and the object


def test_boxes_of_joined_objects_follow_each_other(make, material):
    boxes = make("several", 60, instances=4, spacing="touching").drawn(material).boxes
    assert (boxes[:, 1:, 0] > boxes[:, :-1, 0]).all() and (boxes[:, 1:, 2] > boxes[:, :-1, 2]).all()
    assert (boxes[:, 1:, 0] - boxes[:, :-1, 2]).max() <= 0


@pytest.mark.parametrize("test", ["base", "several", "parts"])
def test_boxes_are_the_tightest_of_the_objects_parts(make, material, test):
    """Of all objects of an image together, by OpenCV."""
    made = make(test, 100)
    drawn = made.drawn(material)
    own = (1, 2) if test == "parts" else (1,)
    for parts, boxes in zip(drawn.parts, drawn.boxes, strict=True):
        x, y, width, height = cv2.boundingRect(np.isin(parts, own).astype(np.uint8))
        together = [*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)]
        assert together == [x, y, x + width, y + height]


def test_so_many_at_once_changes_nothing(make, material, monkeypatch):
    together = make("context", 20).drawn(material)
    monkeypatch.setattr(placing, "PIXELS_AT_ONCE", 3 * 64**2)
    apart = make("context", 20).drawn(material)
    for name in ("pixels", "parts", "boxes"):
        np.testing.assert_array_equal(getattr(together, name), getattr(apart, name))
