"""From scenes to pixels, masks, part codes and boxes, in whole numbers: the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wsol.data.digits.draws import Draws
from wsol.data.digits.ink import FULL, Ink, enlarge
from wsol.data.digits.joining import Joining
from wsol.data.digits.material import CROP, GROUNDS, MEAN, Glyphs
from wsol.data.digits.placing import Places, batches, place_all
from wsol.data.digits.scene import NOTHING, WHOLE, Scene
from wsol.data.digits.scenes import SMALLEST, THIRD

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
    things = scene.things
    # The order of these draws is part of the data set: another gives other pixels.
    picture = _Picture(
        scene=scene,
        places=place_all(
            things.heights, things.widths, things.margins, side, SMALLEST * side // 64, draws
        ),
        samples=_samples(scene, glyphs, draws),
        brightness=np.stack([draws.between(*BRIGHT) for _ in range(things.heights.shape[1])], axis=1),
        ground=draws.below(GROUNDS),
        darkness=draws.between(*(DIM if scene.patch is None else CLEAR)),
        crops=np.stack([draws.below(2**31), draws.below(2**31)], axis=1),
        side=side,
    )
    for rows in batches(len(scene.labels), side):
        yield picture.drawn(rows, glyphs, textures)


def _samples(scene: Scene, glyphs: Glyphs, draws: Draws) -> np.ndarray:
    """The handwritten sample (n, k, c) of each cell; no image shows one twice."""
    n, k, c = scene.things.digits.shape
    samples = np.full((n, k * c), NOTHING, np.int64)
    for cell in range(k * c):
        digits = scene.things.digits.reshape(n, k * c)[:, cell]
        if (digits == NOTHING).all():
            continue
        found = glyphs.pick_another(np.maximum(digits, 0), samples[:, :cell], draws)
        samples[:, cell] = np.where(digits >= 0, found, NOTHING)
    return samples.reshape(n, k, c)


@dataclass(frozen=True)
class _Picture:
    """All that was drawn by lot for the images of a scene, which `drawn` turns into pixels."""

    scene: Scene
    places: Places
    samples: np.ndarray
    brightness: np.ndarray
    ground: np.ndarray
    darkness: np.ndarray
    crops: np.ndarray
    side: int

    def drawn(self, rows: slice, glyphs: Glyphs, textures: list[np.ndarray]) -> Drawn:
        """The images ``rows``: their ground, then cell after cell."""
        canvas, parts = self._ground(rows, textures)
        things = self.scene.things
        n, k, c = things.digits[rows].shape
        boxes = _Boxes(n, self.scene.instance_labels.shape[1], self.side)
        for thing in range(k):
            joining = Joining(n)
            for cell in range(c):
                top, left, ink = self._ink(rows, thing, cell, glyphs)
                left = joining.left(left, ink)
                at = ink.row, ink.y + top[ink.row], ink.x + left[ink.row]
                light = self.brightness[rows, thing].astype(np.int32)[ink.row] * ink.ink
                canvas[at] = (canvas[at] * (FULL - ink.ink) + light) // FULL
                parts[at] = np.where(ink.visible, things.codes[rows, thing, cell][ink.row], parts[at])
                boxes.widen(things.instances[rows, thing, cell], top, left, ink)
        return Drawn(canvas.astype(np.uint8), parts, boxes.tightest())

    def _ground(self, rows: slice, textures: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Dim light (n, side, side) int32 and part codes uint8 of what is behind the things."""
        patch, darkness = self.scene.patch, self.darkness[rows].astype(np.int32)[:, None, None]
        parts = np.zeros((len(darkness), self.side, self.side), np.uint8)
        if patch is None:
            return self._texture(rows, self.ground, textures) * darkness // 256, parts
        at = np.arange(self.side)
        inside_y = (at >= patch.top[rows, None]) & (at < (patch.top + patch.height)[rows, None])
        inside_x = (at >= patch.left[rows, None]) & (at < (patch.left + patch.width)[rows, None])
        inside = inside_y[:, :, None] & inside_x[:, None, :]
        light = np.where(inside, self._texture(rows, patch.texture, textures), np.int32(MEAN))
        parts[inside] = THIRD
        return light * darkness // 256, parts

    def _texture(self, rows: slice, which: np.ndarray, textures: list[np.ndarray]) -> np.ndarray:
        """A crop (n, side, side) int32 of each image's texture: `CROP` of its pixels at any side."""
        which, words, side = which[rows], self.crops[rows], self.side
        low, part = np.divmod(np.arange(side, dtype=np.int32) * CROP, np.int32(side))
        found = np.zeros((len(which), side, side), np.int32)
        for number, texture in enumerate(textures):
            mine = np.flatnonzero(which == number)
            room = np.array(texture.shape) - CROP - 1
            top, left = ((words[mine] * room) >> 31).T
            crops = np.lib.stride_tricks.sliding_window_view(texture, (CROP + 1, CROP + 1))[top, left]
            # Bilinear, rows and then columns: int32 holds 255 * 1024^2.
            tall = crops[:, low] * (side - part)[:, None] + crops[:, low + 1] * part[:, None]
            found[mine] = (tall[:, :, low] * (side - part) + tall[:, :, low + 1] * part) // side**2
        return found

    def _ink(
        self, rows: slice, thing: int, cell: int, glyphs: Glyphs
    ) -> tuple[np.ndarray, np.ndarray, Ink]:
        """Top and left (n,) of one cell of one thing, and its ink; none where there is no such cell."""
        edges, width = self.scene.things.edges[rows, thing], self.places.width[rows, thing]
        begin, end = (width * edges[:, cell + at] // WHOLE for at in (0, 1))
        sample = self.samples[rows, thing, cell]
        shown = np.maximum(sample, 0)
        width = np.where(sample >= 0, end - begin, 0)
        ink = enlarge(glyphs.pixels[shown], glyphs.ends[shown], self.places.height[rows, thing], width)
        return self.places.top[rows, thing], self.places.left[rows, thing] + begin, ink


class _Boxes:
    """Boxes of ``m`` objects in each of ``n`` images, which grow with every cell."""

    def __init__(self, n: int, m: int, side: int) -> None:
        self._low = np.full((n, m, 2), side, np.int64)
        self._high = np.zeros((n, m, 2), np.int64)

    def widen(self, instance: np.ndarray, top: np.ndarray, left: np.ndarray, ink: Ink) -> None:
        """Take in the visible ink of one cell of object ``instance`` (n,), -1 for none."""
        seen = np.zeros((len(instance), ink.height, ink.width), bool)
        seen[ink.row, ink.y, ink.x] = ink.visible
        mine = np.flatnonzero((instance >= 0) & seen.any(axis=(1, 2)))
        seen, number = seen[mine], instance[mine]
        columns: np.ndarray = np.any(seen, axis=1)
        rows: np.ndarray = np.any(seen, axis=2)
        for axis, start, shown in ((0, left, columns), (1, top, rows)):
            first = start[mine] + shown.argmax(axis=1)
            end = start[mine] + shown.shape[1] - shown[:, ::-1].argmax(axis=1)
            at = mine, number, axis
            self._low[at] = np.minimum(self._low[at], first)
            self._high[at] = np.maximum(self._high[at], end)

    def tightest(self) -> np.ndarray:
        """The half-open boxes (n, m, 4) x0, y0, x1, y1; zeros of an object without ink."""
        there = self._high > self._low
        return np.concatenate([np.where(there, self._low, 0), np.where(there, self._high, 0)], axis=2)
