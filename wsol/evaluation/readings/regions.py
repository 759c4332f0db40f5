"""Where the map lies: which of the named regions of an image score higher, and how they are lit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import cv2
import numpy as np

from wsol.errors import UserError
from wsol.evaluation.readings.reading import Reading, ScoredMap
from wsol.files.pictures.images import open_codes
from wsol.scores.protocol import Protocol
from wsol.scores.regions import LEVELS, PAIRS, PER_LEVEL, REGIONS, places_of
from wsol.scores.samples import Annotation


class Regions(Reading):
    """Read where parts files name some of `REGIONS` besides the ground.

    Arrays, of N images:

    - ``region_auc`` (N, 6) float32 in [0, 1]: for each of `PAIRS` the chance that a pixel of the first
      region scores higher than one of the second, ties counted half; NaN where an image lacks one;
    - ``region_levels`` (N, 7, 64): pixels of each of `REGIONS` by the level of the 8-bit map divided by
      four; uint16, or uint32 where a frame has more pixels. 0 where an image has no parts file.

    Both in the protocol's frame, the codes by nearest neighbour. Regions to be ignored are not left out:
    a parts file says of every pixel what it is. An image costs 1 ms at 64 x 64,
    8 at 224 x 224.
    """

    def __init__(self, counts: np.dtype) -> None:
        self.counts = counts

    @classmethod
    def of(cls, annotations: Sequence[Annotation], protocol: Protocol) -> Self | None:
        """None without parts of such names."""
        asked = set(REGIONS) - {"ground", "other"}
        if not any(one.parts and asked & set(one.part_names.values()) for one in annotations):
            return None
        frames = {protocol.frame(one.size) for one in annotations}
        most = max(height * width for height, width in frames)
        return cls(np.min_scalar_type(max(most, 2**8)))

    def empty(self, annotations: Sequence[Annotation]) -> dict[str, np.ndarray]:
        """No pixels, and nothing compared."""
        n = len(annotations)
        return {
            "region_auc": np.full((n, len(PAIRS)), np.nan, np.float32),
            "region_levels": np.zeros((n, len(REGIONS), LEVELS), self.counts),
        }

    def read(self, scored: ScoredMap) -> Mapping[str, Any]:
        """Both; nothing of an image without parts, or of boxes.

        ``UserError`` names a parts file that cannot be read.
        """
        scores = scored.normalised
        if scores is None or not scored.annotation.parts:
            return {}
        regions = _region_of_pixels(scored.annotation, scores.shape)
        levels = (np.maximum(scores, 0) * 255).astype(np.uint8) // PER_LEVEL
        counts = np.bincount(
            (regions * np.int64(LEVELS) + levels).ravel(), minlength=len(REGIONS) * LEVELS
        )
        return {
            "region_auc": _pair_aucs(scores, regions),
            "region_levels": counts.reshape(len(REGIONS), LEVELS),
        }


def pixel_auc(first: np.ndarray, second: np.ndarray) -> float:
    """The chance that one of ``first`` (n,) is higher than one of ``second`` (m,), ties counted half.

    The Mann-Whitney statistic in [0, 1]; ``second`` rises. NaN where one of them is empty.
    """
    if not len(first) or not len(second):
        return np.nan
    lower = np.searchsorted(second, first, side="left").sum(dtype=np.int64)
    not_higher = np.searchsorted(second, first, side="right").sum(dtype=np.int64)
    return float(lower + not_higher) / (2 * len(first) * len(second))


def _pair_aucs(scores: np.ndarray, regions: np.ndarray) -> list[float]:
    flat, of_pixel = scores.ravel(), regions.ravel()
    rising = {
        name: np.sort(flat[np.isin(of_pixel, places_of(name))])
        for name in dict.fromkeys(name for pair in PAIRS for name in pair)
    }
    return [
        # Searching the larger by the smaller takes fewer steps.
        pixel_auc(rising[first], rising[second])
        if len(rising[first]) <= len(rising[second])
        else 1 - pixel_auc(rising[second], rising[first])
        for first, second in PAIRS
    ]


def _region_of_pixels(annotation: Annotation, size: tuple[int, ...]) -> np.ndarray:
    """Places in `REGIONS`, uint8 (height, width) of ``size``."""
    codes = _codes(annotation.parts)
    height, width = size
    if codes.shape != size:
        codes = cv2.resize(codes, (width, height), interpolation=cv2.INTER_NEAREST)
    region_of_code = np.full(256, REGIONS.index("other"), np.uint8)
    region_of_code[0] = REGIONS.index("ground")
    for code, name in annotation.part_names.items():
        if name in REGIONS:
            region_of_code[code] = REGIONS.index(name)
    return region_of_code[np.asarray(codes, np.uint8)]


def _codes(path: str) -> np.ndarray:
    try:
        return open_codes(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such parts file") from None
