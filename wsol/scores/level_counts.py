"""How many images and pixels are right at each threshold: what a repository keeps of a large data set.

The arrays of 50,000 images are megabytes, these sums are a few KB, and curves need no more.
"""

from __future__ import annotations

import numpy as np

from wsol.files.array_file import deterministic_npz
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol


def level_counts(per_image: PerImage, protocol: Protocol) -> dict[str, np.ndarray]:
    """Sums over images at the T thresholds of the protocol's grid, for its D IoU thresholds.

    Returns:
        ``thresholds`` (T,) float64 and ``iou_percents`` (D,) int64; with boxes ``images`` () int64, how
        many have a true box, and ``right_single``, ``right_all`` (D, T) int64, how many are right by the
        largest contour, by any contour; with class scores ``right_single_top1`` (D, T), of those
        the images whose class is right too; with masks ``positive_pixels``, ``negative_pixels``
        (bins + 1,), pixels of the true foreground and background per bin of `Protocol.bin_edges`, column
        0 those below every threshold.
    """
    counts = {
        "thresholds": protocol.thresholds,
        "iou_percents": np.array(protocol.iou_percents, np.int64),
    }
    if per_image.single is not None:
        counts["images"] = np.array(per_image.has_box.sum(), np.int64)
        counts["right_single"] = _right(per_image, protocol, "single", per_image.has_box)
        counts["right_all"] = _right(per_image, protocol, "all", per_image.has_box)
        if (per_image.top1[per_image.has_box] >= 0).all():
            named = per_image.has_box & (per_image.top1 == 1)
            counts["right_single_top1"] = _right(per_image, protocol, "single", named)
    if per_image.positives is not None and per_image.negatives is not None:
        counts["positive_pixels"] = per_image.positives.sum(axis=0, dtype=np.int64)
        counts["negative_pixels"] = per_image.negatives.sum(axis=0, dtype=np.int64)
    return counts


def to_bytes(counts: dict[str, np.ndarray]) -> bytes:
    """An npz file of them: the same counts, the same bytes."""
    return deterministic_npz(counts)


def _right(per_image: PerImage, protocol: Protocol, contours: str, kept: np.ndarray) -> np.ndarray:
    """Images of ``kept`` (N,) with IoU at or above each of D, at each of T thresholds: (D, T)."""
    distinct = per_image.distinct(protocol.thresholds)
    counts = [
        per_image.right(contours, iou, distinct)[kept[per_image.boxed]].sum(axis=0)
        for iou in protocol.ious
    ]
    # Thresholds that cut alike were taken together; each gets their common count.
    return np.stack(counts)[:, np.searchsorted(distinct, protocol.thresholds, side="right") - 1]
