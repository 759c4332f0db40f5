"""What the images are made of: handwritten digits, no sample in two splits, and textures.

scikit-learn's digits (8 x 8, UCI optical recognition set, CC BY 4.0) and photographs that come with
scikit-image: brick, grass, gravel (CC0) and the Hubble deep field (public domain, NASA).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import numpy as np

from wsol.data.digits.draws import Draws

SPLITS = ("train", "val", "test")
SHARES = (60, 10, 30)  # percent of the handwritten samples for each split
SLIMMEST = 5  # columns of a sample that are spread over its place
INKED = 2  # of 16: a row or column of a sample without so dark a value is its margin

# In images without a context the ground is one of these; as contexts, all seven stand for classes.
GROUNDS = 3
CONTEXTS = ("brick", "grass", "gravel", "turned brick", "coarse grass", "fine gravel", "stars")
# Of every texture, so that none is told by how bright it is; clipped at white, stars have 126 and 25.
MEAN, SPREAD = 128, 32
CROP = 64  # pixels of a texture's side that an image shows, whatever its own side


@dataclass(frozen=True)
class Glyphs:
    """The handwritten samples of one split.

    ``pixels`` (n, 8, 8) int32 in 0..16; ``ends`` (n, 4) their rows and columns with ink, half-open:
    top, left, bottom, right; ``by_digit`` the places of the samples of each digit.
    """

    pixels: np.ndarray
    ends: np.ndarray
    by_digit: list[np.ndarray]

    def pick(self, digits: np.ndarray, draws: Draws) -> np.ndarray:
        """A sample (n,) of each of ``digits`` (n,)."""
        counts = np.array([len(own) for own in self.by_digit])
        table = np.zeros((10, counts.max()), np.int64)
        for digit, own in enumerate(self.by_digit):
            table[digit, : len(own)] = own
        return table[digits, draws.below(counts[digits])]

    def pick_another(self, digits: np.ndarray, taken: np.ndarray, draws: Draws) -> np.ndarray:
        """A sample (n,) of each digit that is not among ``taken`` (n, m).

        A first pick that is taken moves on by growing steps, which do not reach every sample: the few
        that an image shows are told apart, a dozen of one digit may not be.
        """
        found = self.pick(digits, draws)
        for place in range(10 * taken.shape[1]):
            again = (found[:, None] == taken).any(axis=1)
            if not again.any():
                break
            own, step = self.by_digit, place + 1
            for row in np.flatnonzero(again):
                mine = own[digits[row]]
                at = int(np.flatnonzero(mine == found[row])[0])
                found[row] = mine[(at + step) % len(mine)]
        return found


def glyphs(seed: int, split: str) -> Glyphs:
    """The samples of a split; which those are, ``seed`` says."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    pixels = np.asarray(pixels).astype(np.int32).reshape(-1, 8, 8)
    labels = np.asarray(labels)
    order = np.argsort(Draws(len(pixels), seed, 0).below(2**31), kind="stable")
    ends = np.cumsum((0, *SHARES)) * len(pixels) // 100
    number = SPLITS.index(split)
    own = np.sort(order[ends[number] : ends[number + 1]])
    return Glyphs(pixels, _ends(pixels), [own[labels[own] == digit] for digit in range(10)])


def _ends(pixels: np.ndarray) -> np.ndarray:
    """Where each sample has ink; a slim one keeps margins at its sides, or a 1 would become a block."""
    inked = pixels >= INKED
    rows: np.ndarray = np.any(inked, axis=2)
    columns: np.ndarray = np.any(inked, axis=1)
    top, left = rows.argmax(axis=1), columns.argmax(axis=1)
    bottom, right = 8 - rows[:, ::-1].argmax(axis=1), 8 - columns[:, ::-1].argmax(axis=1)
    lacking = np.maximum(SLIMMEST - (right - left), 0)
    left = np.clip(left - lacking // 2, 0, 8 - SLIMMEST)
    right = np.maximum(right, left + SLIMMEST)
    return np.stack([top, left, bottom, right], axis=1).astype(np.int64)


def textures() -> list[np.ndarray]:
    """The textures `CONTEXTS`, (height, width) int32 in 0..255, levelled to one mean and spread."""
    from skimage import data as photographs

    brick, grass, gravel = (
        getattr(photographs, name)().astype(np.int64) for name in ("brick", "grass", "gravel")
    )
    stars = photographs.hubble_deep_field()[:512, :512, 1].astype(np.int64)
    coarse = np.repeat(np.repeat(grass[:192, :192], 3, axis=0), 3, axis=1)
    fine = gravel[:510, :510].reshape(170, 3, 170, 3).sum(axis=(1, 3)) // 9
    return [_levelled(one) for one in (brick, grass, gravel, brick.T, coarse, fine, stars)]


def _levelled(texture: np.ndarray) -> np.ndarray:
    """The texture at `MEAN` and `SPREAD`, in whole numbers: the same on every machine."""
    mean = int(texture.sum()) // texture.size
    # Thousandths of a level: a spread of 13 would be off by up to 4 percent as a whole number.
    spread = isqrt(int(((texture - mean) ** 2).sum()) * 1_000_000 // texture.size)
    return np.clip((texture - mean) * SPREAD * 1000 // spread + MEAN, 0, 255).astype(np.int32)
