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


def averaged(boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The mean score of the boxes that each cell lies in, 0 where it lies in none: (SIDE, SIDE) float64.

    The sum alone would be largest where most boxes are, at the centre, whatever their scores.
    """
    number = painted(boxes, np.ones(len(boxes)))
    return np.divide(painted(boxes, scores), number, out=np.zeros_like(number), where=number > 0)
