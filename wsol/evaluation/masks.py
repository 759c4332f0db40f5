"""True masks as the evaluator reads them, and the pixel histograms behind PxAP, peak IoU, P and J."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numba import njit

from wsol.errors import UserError
from wsol.files.pictures.images import open_mask_pixels
from wsol.files.pictures.mask_file import MaskPixels
from wsol.scores.samples import Annotation

IGNORED = 255


def true_mask(annotation: Annotation, size: tuple[int, int]) -> np.ndarray:
    """The object of an image as uint8 (height, width) of ``size``: 1 object, 0 background, 255 ignored.

    The union of the masks; ignored where an ignore region, or a mask's own void, and no mask is.
    Without masks: background. ``UserError`` names a file that cannot be read.
    """
    masks = [_read(path) for path in annotation.masks]
    ignore = [mask.void for mask in masks if mask.void is not None]
    for path in annotation.ignore:
        inside, void = _read(path)
        ignore.append(inside if void is None else inside | void)
    return combine([mask.inside for mask in masks], ignore, size)


def read_mask(path: str | Path) -> np.ndarray:
    """The object of a mask file, a picture or an array ``.npy``, as bool (height, width).

    `open_mask_pixels` says which pixels are meant.
    """
    return _read(path).inside


def _read(path: str | Path) -> MaskPixels:
    try:
        return open_mask_pixels(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such mask") from None


def combine(
    masks: Sequence[np.ndarray], ignore: Sequence[np.ndarray], size: tuple[int, int]
) -> np.ndarray:
    """Masks and ignore regions, each bool (h, w) of any size, as one uint8 mask of ``size``."""
    result = np.zeros(size, np.uint8)
    for value, regions in ((IGNORED, ignore), (1, masks)):
        for region in regions:
            result[resize_mask(region, size)] = value
    return result


def resize_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A bool mask (h, w) as bool (height, width) of ``size``, by nearest neighbour."""
    height, width = size
    if mask.shape == size:
        return mask.astype(bool)
    resized = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return resized.astype(bool)


@njit(nogil=True, cache=True)
def pixel_histograms(scores, mask, edges):
    """Pixels of object and background per bin of score: two uint32 (bins + 1,).

    ``scores`` float64 (H, W); ``mask`` uint8 (H, W), 255 is left out; ``edges`` (bins + 1,) rising, the
    first ``edges.size - 3`` of them equally spaced from 0. Bin k is column k + 1 and holds
    ``edges[k] <= score < edges[k + 1]``, as in ``numpy.histogram``; column 0 what lies below 0.
    """
    bins = edges.size - 1
    positives = np.zeros(bins + 1, np.uint32)
    negatives = np.zeros(bins + 1, np.uint32)
    last = edges.size - 4
    per_step = 1.0 / edges[1]
    for y in range(scores.shape[0]):
        for x in range(scores.shape[1]):
            truth = mask[y, x]
            if truth == 255:
                continue
            score = scores[y, x]
            if score < 0:
                place = -1
            else:
                place = min(int(score * per_step), last)
                while place < bins - 1 and score >= edges[place + 1]:
                    place += 1
                while score < edges[place]:
                    place -= 1
            if truth:
                positives[place + 1] += 1
            else:
                negatives[place + 1] += 1
    return positives, negatives
