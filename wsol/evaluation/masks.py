"""True masks as the evaluator reads them, and the pixel histograms behind PxAP, peak IoU, P and J."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numba import njit
from PIL import Image

from wsol.errors import UserError
from wsol.files.numpy_file import Limit, read_arrays
from wsol.files.pictures.images import MAX_PIXELS
from wsol.files.pictures.mask_file import DAMAGE, set_pixels
from wsol.files.reading import refuse_no_file
from wsol.scores.samples import Annotation

IGNORED = 255
# An array of a mask has as many pixels as an image at most, in up to four channels.
LARGEST = Limit(4 * MAX_PIXELS, 8 * MAX_PIXELS)


def true_mask(annotation: Annotation, size: tuple[int, int]) -> np.ndarray:
    """The object of an image as uint8 (height, width) of ``size``: 1 object, 0 background, 255 ignored.

    The union of the masks; ignored where an ignore region and no mask is. Without masks: background.
    ``UserError`` names a file that cannot be read.
    """
    masks = [read_mask(path) for path in annotation.masks]
    return combine(masks, [read_mask(path) for path in annotation.ignore], size)


def read_mask(path: str | Path) -> np.ndarray:
    """A mask file, a picture or an array ``.npy``, as bool (height, width).

    `set_pixels` says which pixels of a picture are set; of an array, those not 0 (in any channel).
    """
    path = Path(path)
    refuse_no_file(path)
    try:
        if path.suffix == ".npy":
            return _as_mask(read_arrays(path, LARGEST), path)
        with Image.open(path) as image:
            return set_pixels(image)
    except UserError:
        raise
    except (*DAMAGE, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: cannot read the mask: {error}") from error


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


def _as_mask(arrays: list[tuple[str, np.ndarray]], path: Path) -> np.ndarray:
    if len(arrays) != 1:
        raise UserError(f"{path}: does not hold one array; save the mask alone")
    array = arrays[0][1]
    if array.ndim == 3:
        array = (array != 0).any(axis=2)
    if array.ndim != 2:
        raise UserError(f"{path}: a mask is (height, width), this is {array.shape}")
    return array != 0
