"""A score map of any size and scale as the evaluator reads it: resized, in [0, 1], in 8 bits.

The arithmetic is wsolevaluation's, step by step, since one unit in 8 bits can move a box: float64
first, then resize, then minimum to 0 and maximum to 1, then truncate ``map * 255``.
"""

from __future__ import annotations

import cv2
import numpy as np

from wsol.errors import UserError
from wsol.scores.protocol import Interpolation

_OPENCV = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


def resize(
    score_map: np.ndarray, size: tuple[int, int] = (224, 224), interpolation: Interpolation = "cubic"
) -> np.ndarray:
    """``score_map`` (h, w) as a float64 (height, width) map of ``size``.

    Raises ``UserError`` where it is no real-valued (h, w) array with at least one pixel.
    """
    score_map = np.asarray(score_map)
    if score_map.ndim != 2 or not score_map.size:
        raise UserError(
            f"score map has shape {score_map.shape}: give one (height, width) array an image"
        )
    if score_map.dtype.kind not in "fiub":
        raise UserError(f"score map has dtype {score_map.dtype}: give floats or integers")
    height, width = size
    # In float32 about a quarter of the maps would change in a few 8-bit pixels.
    return cv2.resize(
        score_map.astype(np.float64), (width, height), interpolation=_OPENCV[interpolation]
    )


def normalise(
    score_map: np.ndarray, size: tuple[int, int] = (224, 224), interpolation: Interpolation = "cubic"
) -> np.ndarray:
    """The resized map shifted and scaled to [0, 1], float64 (height, width).

    All zeros where the resized map is constant or has a value that is not finite (the reference
    says so of NaN; inf, on which it would divide inf by inf, is decided here alike).
    Negative values need no care: the minimum becomes 0.
    """
    resized = resize(score_map, size, interpolation)
    with np.errstate(invalid="ignore", over="ignore"):
        resized -= resized.min()
        top = resized.max()
        if not 0 < top < np.inf:
            return np.zeros_like(resized)
        resized /= top
    return resized


def mask_at(
    score_map: np.ndarray,
    size: tuple[int, int],
    threshold: float,
    interpolation: Interpolation = "cubic",
) -> np.ndarray:
    """The pixels of the normalised map at or above ``threshold``: bool (height, width) of ``size``.

    At 0, which all pixels reach, those above it.
    """
    return normalise(score_map, size, interpolation) >= max(threshold, 1e-9)


def quantise(
    score_map: np.ndarray, size: tuple[int, int] = (224, 224), interpolation: Interpolation = "cubic"
) -> np.ndarray:
    """The normalised map times 255, truncated: uint8 (height, width), its maximum 255 or all zeros."""
    return (normalise(score_map, size, interpolation) * 255).astype(np.uint8)
