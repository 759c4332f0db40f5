"""From scenes to pixels, masks, part codes and boxes, in whole numbers: the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wsol.data.digits.draws import Draws
from wsol.data.digits.material import GROUNDS, MEAN, Glyphs
from wsol.data.digits.placing import PIXELS_AT_ONCE, Places, place_all
from wsol.data.digits.scene import NOTHING, WHOLE, Scene
from wsol.data.digits.scenes import SMALLEST, THIRD

INK = 16  # the darkest value of a handwritten sample
VISIBLE = 32  # ink of 256 from which a pixel belongs to the digit
DIM = (26, 128)  # of 256, of the texture's light
CLEAR = (56, 100)  # where the texture is to be told from the plain ground around it
BRIGHT = (160, 255)


@dataclass(frozen=True)
class Drawn:
    """Some images in a row.

    ``pixels`` (n, side, side) uint8; ``parts`` (n, side, side) uint8 codes, 0 is the ground; ``boxes``
    (n, m, 4) int64, the tightest half-open boxes of the labelled objects, zeros where there is none.
    """

    pixels: np.ndarray
    parts: np.ndarray
    boxes: np.ndarray


def draw(
    scene: Scene, glyphs: Glyphs, textures: list[np.ndarray], side: int, draws: Draws
) -> Iterator[Drawn]:
    """The images of a scene, so many at once as memory allows."""
    things, n = scene.things, len(scene.labels)
    picture = _Picture(
        scene,
        place_all(things.heights, things.widths, things.margins, side, SMALLEST * side // 64, draws),
        _samples(scene, glyphs, draws),
        np.stack([draws.between(*BRIGHT) for _ in range(things.heights.shape[1])], axis=1),
        draws.below(GROUNDS),
        draws.between(*(DIM if scene.patch is None else CLEAR)),
        np.stack([draws.below(2**31), draws.below(2**31)], axis=1),
        side,
    )
    step = max(1, PIXELS_AT_ONCE // side**2)
    for start in range(0, n, step):
        yield picture.drawn(slice(start, min(n, start + step)), glyphs, textures)


def _samples(scene: Scene, glyphs: Glyphs, draws: Draws) -> np.ndarray:
    """The handwritten sample (n, k, c) of each cell; no image shows one twice."""
    n, k, c = scene.things.digits.shape
    shown = scene.things.digits.reshape(n, k * c)
    samples = np.full((n, k * c), NOTHING, np.int64)
    for cell, digits in enumerate(shown.T):
        found = glyphs.pick_another(np.maximum(digits, 0), samples[:, :cell], draws)
        samples[:, cell] = np.where(digits >= 0, found, NOTHING)
    return samples.reshape(n, k, c)


@dataclass(frozen=True)
class _Picture:
    scene: Scene
    places: Places
    samples: np.ndarray
    brightness: np.ndarray
    ground: np.ndarray
    darkness: np.ndarray
    crops: np.ndarray
    side: int

    def drawn(self, rows: slice, glyphs: Glyphs, textures: list[np.ndarray]) -> Drawn:
        canvas, parts = self._ground(rows, textures)
        n, k, c = self.scene.things.digits[rows].shape
        objects = np.zeros((n, self.scene.instance_labels.shape[1], self.side, self.side), bool)
        for thing in range(k):
            for cell in range(c):
                ink = self._ink(rows, thing, cell, glyphs)
                light = self.brightness[rows, thing][:, None, None]
                canvas = (canvas * (256 - ink) + light * ink) // 256
                visible = ink >= VISIBLE
                codes = self.scene.things.codes[rows, thing, cell]
                parts = np.where(visible, codes[:, None, None], parts)
                instance = self.scene.things.instances[rows, thing, cell]
                for number in range(objects.shape[1]):
                    objects[:, number] |= visible & (instance == number)[:, None, None]
        return Drawn(canvas.astype(np.uint8), parts.astype(np.uint8), _boxes(objects))

    def _ground(self, rows: slice, textures: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Dim light and part codes of what is behind the things."""
        patch, darkness = self.scene.patch, self.darkness[rows][:, None, None]
        parts = np.zeros((len(darkness), self.side, self.side), np.uint8)
        if patch is None:
            return self._texture(rows, self.ground, textures) * darkness // 256, parts
        at = np.arange(self.side)
        inside_y = (at >= patch.top[rows, None]) & (at < (patch.top + patch.height)[rows, None])
        inside_x = (at >= patch.left[rows, None]) & (at < (patch.left + patch.width)[rows, None])
        inside = inside_y[:, :, None] & inside_x[:, None, :]
        light = np.where(inside, self._texture(rows, patch.texture, textures), MEAN)
        parts[inside] = THIRD
        return light * darkness // 256, parts

    def _texture(self, rows: slice, which: np.ndarray, textures: list[np.ndarray]) -> np.ndarray:
        """A crop (n, side, side) of each image's texture: 64 of its pixels whatever the side."""
        which, words = which[rows], self.crops[rows]
        low, part = np.divmod(np.arange(self.side) * 64, self.side)
        found = np.zeros((len(which), self.side, self.side), np.int64)
        for number, texture in enumerate(textures):
            mine = np.flatnonzero(which == number)
            room = np.array(texture.shape) - 65
            top, left = ((words[mine] * room) >> 31).T
            y, x = top[:, None] + low, left[:, None] + low
            upper = texture[y[:, :, None], x[:, None, :]] * (self.side - part)
            upper = upper + texture[y[:, :, None], x[:, None, :] + 1] * part
            lower = texture[y[:, :, None] + 1, x[:, None, :]] * (self.side - part)
            lower = lower + texture[y[:, :, None] + 1, x[:, None, :] + 1] * part
            rows_part = part[:, None]
            found[mine] = (upper * (self.side - rows_part) + lower * rows_part) // self.side**2
        return found

    def _ink(self, rows: slice, thing: int, cell: int, glyphs: Glyphs) -> np.ndarray:
        """Ink 0..256 (n, side, side) of one cell of one thing; 0 where there is none."""
        edges = self.scene.things.edges[rows, thing]
        width = self.places.width[rows, thing]
        begin, end = (width * edges[:, cell + at] // WHOLE for at in (0, 1))
        sample = self.samples[rows, thing, cell]
        there = (sample >= 0) & (end > begin)
        ends = glyphs.ends[np.maximum(sample, 0)]
        down = _Axis.of(
            self.side,
            self.places.top[rows, thing],
            self.places.height[rows, thing],
            ends[:, 0],
            ends[:, 2],
        )
        across = _Axis.of(
            self.side,
            self.places.left[rows, thing] + begin,
            np.maximum(end - begin, 1),
            ends[:, 1],
            ends[:, 3],
        )
        pixels = glyphs.pixels[np.maximum(sample, 0)]
        number = np.arange(len(sample))[:, None, None]
        ink = np.zeros((len(sample), self.side, self.side), np.int64)
        for y, weight_y in ((down.low, down.rest), (down.high, down.part)):
            for x, weight_x in ((across.low, across.rest), (across.high, across.part)):
                value = pixels[number, y[:, :, None], x[:, None, :]]
                ink += value * weight_y[:, :, None] * weight_x[:, None, :]
        whole = (down.whole * across.whole)[:, None, None]
        inside = down.inside[:, :, None] & across.inside[:, None, :] & there[:, None, None]
        return np.where(inside, ink * (256 // INK) // whole, 0)


@dataclass(frozen=True)
class _Axis:
    """Bilinear enlargement along one axis, with half-pixel centres: which samples, and their weights."""

    inside: np.ndarray
    low: np.ndarray
    high: np.ndarray
    part: np.ndarray
    rest: np.ndarray
    whole: np.ndarray

    @classmethod
    def of(
        cls, side: int, start: np.ndarray, length: np.ndarray, first: np.ndarray, end: np.ndarray
    ) -> _Axis:
        """Samples ``first`` to ``end`` spread over ``length`` pixels from ``start``, all (n,)."""
        count, whole = (end - first)[:, None], 2 * length[:, None]
        at = np.arange(side) - start[:, None]
        # Output pixel i lies at ((2 i + 1) count - length) / (2 length) in samples, edges repeated.
        position = np.clip((2 * at + 1) * count - length[:, None], 0, whole * (count - 1))
        low, part = np.divmod(position, whole)
        high = np.minimum(low + 1, count - 1)
        inside = (at >= 0) & (at < length[:, None])
        return cls(inside, first[:, None] + low, first[:, None] + high, part, whole - part, whole[:, 0])


def _boxes(objects: np.ndarray) -> np.ndarray:
    """Tightest half-open boxes (n, m, 4) of masks (n, m, side, side); zeros of an empty one."""
    side = objects.shape[-1]
    rows: np.ndarray = np.any(objects, axis=3)
    columns: np.ndarray = np.any(objects, axis=2)
    boxes = np.stack(
        [
            columns.argmax(axis=2),
            rows.argmax(axis=2),
            side - columns[:, :, ::-1].argmax(axis=2),
            side - rows[:, :, ::-1].argmax(axis=2),
        ],
        axis=2,
    )
    return np.where(np.any(rows, axis=2)[:, :, None], boxes, 0)
