"""The order in which a map's pixels are deleted or inserted: highest first, ties by smooth chance."""

from __future__ import annotations

import hashlib

import numpy as np

from wsol.evaluation.score_map import resize
from wsol.scores.protocol import Interpolation

# Pixels that differ by less than this share of the map's range are tied. Resizing leaves rounding in
# what was constant, and its pattern would decide.
TIED = 6  # decimals

# Ties are broken by a random map of so many values a side, the size of a class map of 224 pixels.
CHANCE = 7


def ranks(
    score_map: np.ndarray, image_id: str, size: tuple[int, int], interpolation: Interpolation
) -> np.ndarray:
    """The place of every pixel in the order, int32 (height, width) of ``size``: 0 is the highest.

    The map (h, w) is resized as the protocol does. One that is constant, or has values that are not
    finite, ties everywhere, as evaluation reads it too.

    Ties, which are many where a ReLU has made zeros, are broken by a random map, smooth like a map of a
    network and the same for all maps of one image (seeded by ``image_id``). Not by the order of the
    raster: that is a map of its own, "the top of the image", and not a bad one of photographs. Not pixel
    by pixel either: the noise of scattered pixels takes a convolutional network's probability down
    whatever they show, and a map without any opinion would get the best deletion of all
    (``benchmarks/faithfulness_ties.py``).
    """
    order = np.lexsort(
        (-chance(image_id, size).ravel(), -_scores(score_map, size, interpolation).ravel())
    )
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    return places.reshape(size)


def chance(image_id: str, size: tuple[int, int]) -> np.ndarray:
    """A smooth random map, float64 (height, width) of ``size``: always the same of one image."""
    seed = hashlib.sha256(image_id.encode()).digest()[:8]
    generator = np.random.default_rng(int.from_bytes(seed, "big"))
    return resize(generator.random((CHANCE, CHANCE)), size)


def _scores(score_map: np.ndarray, size: tuple[int, int], interpolation: Interpolation) -> np.ndarray:
    """The map from 0 to 1, resized and rounded: what is tied is equal."""
    scores = np.asarray(score_map, np.float64)
    low, high = scores.min(), scores.max()
    if not 0 < high - low < np.inf:
        return np.zeros(size)
    return resize((scores - low) / (high - low), size, interpolation).round(TIED)
