"""The named regions of an image that diagnostics ask about, and which of them are compared."""

from __future__ import annotations

import numpy as np

# In the order of the arrays. Code 0 of a parts file is ``ground``, plain background; ``other`` are
# pixels of a code by another name. They do not overlap.
REGIONS = ("ground", "object", "deciding", "rest", "distractor", "context", "other")

# What a region is made of where it is not one alone: a deciding part and the rest are the object.
MADE_OF = {"object": ("object", "deciding", "rest")}

# Does the first of each pair score higher than the second?
PAIRS = (
    ("object", "ground"),
    ("object", "distractor"),
    ("distractor", "ground"),
    ("rest", "ground"),
    ("deciding", "rest"),
    ("context", "ground"),
)

# 8-bit levels are counted by fours.
LEVELS = 64
PER_LEVEL = 256 // LEVELS


def places_of(region: str) -> list[int]:
    """Where the parts of a region stand in `REGIONS`."""
    return [REGIONS.index(part) for part in MADE_OF.get(region, (region,))]


def above(levels: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Pixels (..., C) float64 above cuts (C,), in 0 .. 255, of an 8-bit map; `PER_LEVEL` units each.

    ``levels`` (..., `LEVELS`) are counts of pixels. Inside the level that a cut divides they are taken
    as evenly spread, a quarter of them on each of its four values.
    """
    counts = levels.astype(np.float64)
    over = np.cumsum(counts[..., ::-1], axis=-1)[..., ::-1]
    over = np.concatenate([over[..., 1:], np.zeros_like(over[..., :1])], axis=-1)
    place, inside = cuts // PER_LEVEL, PER_LEVEL - 1 - cuts % PER_LEVEL
    return PER_LEVEL * over[..., place] + inside * counts[..., place]
