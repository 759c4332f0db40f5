"""Boxes and their scores to a map."""

from __future__ import annotations

import numpy as np

SIDE = 56  # cells a side of a map of boxes; the protocol resizes it as any map


def painted(boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The sum of the scores (n,) of the boxes that each cell's centre lies in: (SIDE, SIDE) float64.

    Boxes (n, 4) are in shares of the image's sides.
    """
    centres = (np.arange(SIDE) + 0.5) / SIDE
    across = (boxes[:, None, 0] <= centres) & (centres < boxes[:, None, 2])
    down = (boxes[:, None, 1] <= centres) & (centres < boxes[:, None, 3])
    return np.einsum("n,ny,nx->yx", scores.astype(np.float64), down, across)


def above_average(boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """By how much the scores of the boxes over each cell exceed the mean score, summed: (SIDE, SIDE).

    The scores themselves, summed, would be largest where most boxes are, at the centre, whatever they
    say. Here equal scores make an empty map. So they do where each cell takes the mean of its boxes'
    scores, but then a single box decides where few lie, at the image's edges.
    """
    return painted(boxes, scores - scores.mean()) if len(boxes) else painted(boxes, scores)
