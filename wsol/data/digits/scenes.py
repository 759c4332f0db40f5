"""The scenes of each test. Sides are told in 64ths of the image's side.

Things of no class (7, 8 and 9) have the sizes and the brightness of the objects: which of the things in
an image is the object, a draw decides. So neither ink nor size nor place says where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wsol.data.digits.draws import Draws
from wsol.data.digits.material import CONTEXTS
from wsol.data.digits.scene import NOTHING, WHOLE, Patch, Scene, Things, singles
from wsol.data.digits.tests import DISTRACTORS, SIDES, DigitsSet

CLASSES = 7  # the digits 0 to 6
FIRST_OTHER, OTHERS = 7, 3  # digits of no class
OBJECT, DISTRACTOR, THIRD = 1, 2, 3
SMALLEST, LARGEST = 10, 52
# Training shows all sizes: one thing may be as large as there is room for, the others up to half of it.
# Tests of anything but size show one, at which three things have room and a coarse map can frame each.
MIDDLE = (18, 28)
CELL = 8  # of a map: small_resnet's last stage has one value for 8 pixels of 64


class Sizes:
    """Sides in pixels from sides in 64ths."""

    def __init__(self, side: int) -> None:
        self.side = side

    def of(self, sixty_fourths: int | np.ndarray) -> Any:
        """Pixels."""
        return sixty_fourths * self.side // 64


def scene(digits: DigitsSet, n: int, side: int, draws: Draws, *, train: bool) -> Scene:
    """``n`` scenes of a test, in images of ``side`` pixels; ``train``: those of its training set."""
    labels = np.arange(n) % CLASSES
    return _SCENES[digits.test.name](digits, labels, Sizes(side), draws, train)


def _base(digits: DigitsSet, labels: np.ndarray, sizes: Sizes, draws: Draws, train: bool) -> Scene:
    return _one_object(labels, 1 + digits["distractors"], sizes, draws, train)


def _one_object(
    labels: np.ndarray, count: int, sizes: Sizes, draws: Draws, train: bool = False
) -> Scene:
    """One object among ``count`` - 1 distractors; none where a label is -1."""
    ranges = [MIDDLE] * count
    if train:
        ranges = [(SMALLEST, LARGEST), *[(SMALLEST, MIDDLE[1])] * (count - 1)]
    sides = _sides(ranges, sizes, draws)
    slot = draws.below(count)
    return _with_object(labels, sides, slot, (1,) * count, draws)


def _sides(ranges: Sequence[tuple[int, int]], sizes: Sizes, draws: Draws) -> np.ndarray:
    """Sides (n, k) of k things, each from a range of 64ths."""
    drawn = [draws.between(sizes.of(first), sizes.of(last)) for first, last in ranges]
    return np.stack(drawn, axis=1)


def _with_object(
    labels: np.ndarray,
    sides: np.ndarray,
    slot: np.ndarray,
    margins: tuple[int, ...],
    draws: Draws,
) -> Scene:
    n, count = sides.shape
    shown = _others(n, count, draws)
    codes = np.full((n, count), DISTRACTOR, np.uint8)
    instances = np.full((n, count), NOTHING, np.int64)
    there = np.flatnonzero(labels >= 0)
    shown[there, slot[there]] = labels[there]
    codes[there, slot[there]] = OBJECT
    instances[there, slot[there]] = 0
    things = singles(sides, margins, shown, codes, instances)
    return Scene(labels, things, labels[:, None], {OBJECT: "object", DISTRACTOR: "distractor"})


def _others(n: int, count: int, draws: Draws) -> np.ndarray:
    """Digits (n, count) of no class."""
    return np.stack([FIRST_OTHER + draws.below(OTHERS) for _ in range(count)], axis=1)


def _company(digits: DigitsSet, labels: np.ndarray, sizes: Sizes, draws: Draws, train: bool) -> Scene:
    n, labelled = len(labels), 1 + digits["companions"]
    count = labelled + DISTRACTORS
    sides = _sides([(14, 22)] * count, sizes, draws)
    # The image's own class first, then others than it, each once.
    away = 1 + draws.order(CLASSES - 1)[:, : labelled - 1]
    classes = np.concatenate([labels[:, None], (labels[:, None] + away) % CLASSES], axis=1)
    slots = draws.order(count)[:, :labelled]
    rows = np.arange(n)[:, None]
    shown = _others(n, count, draws)
    codes = np.full((n, count), DISTRACTOR, np.uint8)
    instances = np.full((n, count), NOTHING, np.int64)
    shown[rows, slots] = classes
    codes[rows, slots] = np.array([OBJECT, *[THIRD] * (labelled - 1)], np.uint8)
    instances[rows, slots] = np.arange(labelled)
    names = {OBJECT: "object", DISTRACTOR: "distractor", THIRD: "companion"}
    things = singles(sides, (1,) * count, shown, codes, instances)
    return Scene(labels, things, classes, names)


def _scale(digits: DigitsSet, labels: np.ndarray, sizes: Sizes, draws: Draws, train: bool) -> Scene:
    n, ranges = len(labels), np.array(list(SIDES.values()), np.int64)
    turn = np.arange(n) // CLASSES % len(ranges)
    if digits["side"]:
        turn[:] = list(SIDES).index(digits["side"])
    side = draws.between(sizes.of(ranges[turn, 0]), sizes.of(ranges[turn, 1]))
    # Distractors of the object's own size, as far as there is room: they shrink, it does not.
    sides = np.repeat(side[:, None], 1 + DISTRACTORS, axis=1)
    return _with_object(labels, sides, np.zeros(n, np.int64), (1,) * (1 + DISTRACTORS), draws)


def _several(digits: DigitsSet, labels: np.ndarray, sizes: Sizes, draws: Draws, train: bool) -> Scene:
    """Objects of one class, a cell of a map apart or joined in one row, among things of no class."""
    n, count = len(labels), digits["instances"]
    cells = count if digits["spacing"] == "touching" else 1
    k = count // cells
    height = _sides([(13, 16) if cells > 1 else (14, 18)] * (k + DISTRACTORS), sizes, draws)
    width, shape = height.copy(), (n, k + DISTRACTORS, cells)
    width[:, :k] *= cells
    edges = np.full((*shape[:2], cells + 1), WHOLE, np.int64)
    edges[:, :k], edges[:, k:, 0] = np.arange(cells + 1) * WHOLE // cells, 0
    shown, codes = np.full(shape, NOTHING, np.int64), np.full(shape, DISTRACTOR, np.uint8)
    shown[:, :k], shown[:, k:, 0] = labels[:, None, None], _others(n, DISTRACTORS, draws)
    instances = np.full(shape, NOTHING, np.int64)
    codes[:, :k], instances[:, :k] = OBJECT, np.arange(count).reshape(k, cells)
    apart = -(-CELL * sizes.side // 64)  # rounded up: never less than a cell
    margins = (apart,) * k + (1,) * DISTRACTORS
    things = Things(height, width, margins, edges, shown, codes, instances)
    classes = np.repeat(labels[:, None], count, axis=1)
    return Scene(labels, things, classes, {OBJECT: "object", DISTRACTOR: "distractor"})


def _none(digits: DigitsSet, labels: np.ndarray, sizes: Sizes, draws: Draws, train: bool) -> Scene:
    """Every other image has no object."""
    places = np.arange(len(labels))
    labels = np.where(places % 2 == 0, places // 2 % CLASSES, NOTHING)
    return _one_object(labels, 1 + DISTRACTORS, sizes, draws)


def _parts(digits: DigitsSet, labels: np.ndarray, sizes: Sizes, draws: Draws, train: bool) -> Scene:
    """Pairs of digits: the object's are its class and a 7, the distractors' are 8 and 9."""
    n, count = len(labels), 1 + DISTRACTORS
    heights = _sides([(16, 20)] * count, sizes, draws)
    # Training covers the whole dial, where no setting is asked for; one network is scored at each.
    shares = np.full((n, count), int(digits["share"] * WHOLE), np.int64)
    if train and not digits.taught:
        shares = np.stack([draws.between(250, 750) for _ in range(count)], axis=1)
    slot, rows = draws.below(count), np.arange(n)
    shown = np.stack([_others(n, count, draws), _others(n, count, draws)], axis=2)
    shown = np.where(shown == FIRST_OTHER, 8 + draws.below(2)[:, None, None], shown)
    codes = np.full((n, count, 2), THIRD, np.uint8)
    instances = np.full((n, count, 2), NOTHING, np.int64)
    side = draws.below(2)  # on which the deciding part is
    shown[rows, slot, side], shown[rows, slot, 1 - side] = labels, FIRST_OTHER
    codes[rows, slot, side], codes[rows, slot, 1 - side] = OBJECT, DISTRACTOR
    instances[rows, slot] = 0
    edges = np.stack([np.zeros_like(shares), shares, np.full_like(shares, WHOLE)], axis=2)
    flipped = np.stack([np.zeros_like(shares), WHOLE - shares, np.full_like(shares, WHOLE)], axis=2)
    edges = np.where((side == 1)[:, None, None], flipped, edges)
    things = Things(heights, 2 * heights, (1,) * count, edges, shown, codes, instances)
    names = {OBJECT: "deciding", DISTRACTOR: "rest", THIRD: "distractor"}
    return Scene(labels, things, labels[:, None], names)


def _context(digits: DigitsSet, labels: np.ndarray, sizes: Sizes, draws: Draws, train: bool) -> Scene:
    plain = _one_object(labels, 1 + DISTRACTORS, sizes, draws, train)
    another = (labels + 1 + draws.below(len(CONTEXTS) - 1)) % len(CONTEXTS)
    own = draws.below(WHOLE) < int(digits["share"] * WHOLE)
    without_regard = draws.below(len(CONTEXTS))
    texture = np.where(own, labels, another)
    if digits["texture"] == "uncorrelated":
        texture = without_regard
    names = plain.part_names | {THIRD: "context"}
    return Scene(labels, plain.things, plain.instance_labels, names, _half(texture, sizes.side, draws))


def _half(texture: np.ndarray, side: int, draws: Draws) -> Patch:
    """A half of the image: a map of the centre lies as much outside it as inside."""
    which, short = draws.below(4), side // 2
    beside = which < 2  # the left or the right half, else the upper or the lower one
    return Patch(
        texture,
        top=np.where(which == 3, side - short, 0),
        left=np.where(which == 1, side - short, 0),
        height=np.where(beside, side, short),
        width=np.where(beside, short, side),
    )


_SCENES: dict[str, Callable[[DigitsSet, np.ndarray, Sizes, Draws, bool], Scene]] = {
    "base": _base,
    "company": _company,
    "scale": _scale,
    "several": _several,
    "none": _none,
    "parts": _parts,
    "context": _context,
}
