"""Scenes of the digits tests, placed or drawn, without files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from wsol.data.digits.drawing import Drawn, draw
from wsol.data.digits.draws import Draws
from wsol.data.digits.material import SPLITS, Glyphs, glyphs, textures
from wsol.data.digits.placing import Places, place_all
from wsol.data.digits.scene import Scene
from wsol.data.digits.scenes import scene
from wsol.data.digits.tests import digits_set


@dataclass(frozen=True)
class Made:
    """A scene, and the draws that it left."""

    scene: Scene
    draws: Draws
    side: int

    def placed(self) -> Places:
        things = self.scene.things
        smallest = 10 * self.side // 64
        return place_all(things.heights, things.widths, things.margins, self.side, smallest, self.draws)

    def drawn(self, material: tuple[Glyphs, list[np.ndarray]]) -> Drawn:
        several = list(draw(self.scene, *material, self.side, self.draws))
        together = (np.concatenate([getattr(one, name) for one in several]) for name in FIELDS)
        return Drawn(*together)


FIELDS = ("pixels", "parts", "boxes")


def _make(test: str, n: int, size: int = 64, split: str = "test", **options: object) -> Made:
    digits = digits_set(test, **options)
    draws = Draws(n, 0, digits.test.number, SPLITS.index(split))
    return Made(scene(digits, n, size, draws, train=split == "train"), draws, size)


@pytest.fixture(scope="session")
def make() -> Callable[..., Made]:
    """Makes ``n`` scenes of a test at its options."""
    return _make


@pytest.fixture(scope="session")
def material() -> tuple[Glyphs, list[np.ndarray]]:
    """The samples of the test split, and the textures."""
    return glyphs(0, "test"), textures()
