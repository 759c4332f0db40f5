"""Which metrics share a threshold: each family is one choice of threshold and the curves read at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from wsol.scores.curves import (
    UNIT,
    Curve,
    Mean,
    MeanOf,
    Pixels,
    pooled_iou,
    right_pixels,
    twice_iou,
    units,
)
from wsol.scores.per_image import ALL_UNITS, SINGLE_UNITS, PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.thresholds import Cuts

# A threshold this many standard errors below the best is never the best of a resample.
OUT_OF_REACH = 8.0


class MetricReading(NamedTuple):
    """A metric under B weightings, in percent.

    ``values`` (B,) are its ``curve`` (B, C) at the ``chosen`` (B,) thresholds; ``chosen`` is None
    where nothing was chosen on these images.
    """

    values: np.ndarray
    curve: np.ndarray
    chosen: np.ndarray | None


@dataclass(frozen=True)
class MetricFamily:
    """Curves over the same ``thresholds`` (C,), all read where the first one is highest.

    Of equal thresholds the lowest is taken. Without ``oracle`` there is at most one threshold, and
    it was given.
    """

    thresholds: np.ndarray
    curves: dict[str, Curve]
    oracle: bool = True

    def __call__(self, weights: np.ndarray) -> dict[str, MetricReading]:
        """Every metric of the family under the weights (B, N)."""
        return self._read({key: curve(weights) for key, curve in self.curves.items()})

    def _read(self, curves: dict[str, np.ndarray]) -> dict[str, MetricReading]:
        if not self.oracle:
            return {key: MetricReading(curve[:, 0], curve, None) for key, curve in curves.items()}
        first = next(iter(curves.values()))
        # argmax of all-NaN rows is 0, and their value NaN.
        chosen = np.argmax(np.where(np.isnan(first), -1.0, first), axis=1)
        rows = np.arange(len(first))
        return {key: MetricReading(curve[rows, chosen], curve, chosen) for key, curve in curves.items()}


@dataclass(frozen=True)
class PixelMetricFamily(MetricFamily):
    """PxAP, and the pooled IoU and what is read where it is highest, from one pool of pixels."""

    pixels: Pixels | None = None

    def __call__(self, weights: np.ndarray) -> dict[str, MetricReading]:
        """Every metric of the family, and PxAP, under the weights (B, N)."""
        assert self.pixels is not None
        precision, iou = self.pixels(weights)
        curves = {"peak_iou": iou} | {key: curve(weights) for key, curve in self.curves.items()}
        return {"pxap": MetricReading(precision[:, 0], precision, None), **self._read(curves)}


def classification(per_image: PerImage) -> list[MetricFamily]:
    """Top-1 and top-5 accuracy."""
    everyone = np.arange(len(per_image))
    flags = {"top1_acc": per_image.top1, "top5_acc": per_image.top5}
    return [
        MetricFamily(np.zeros(0), {key: Mean(flag[:, None] == 1, everyone)}, oracle=False)
        for key, flag in flags.items()
        if has_classes(per_image)
    ]


def has_classes(per_image: PerImage) -> bool:
    """Whether class scores were given for the images."""
    return len(per_image) > 0 and bool((per_image.top1 >= 0).all())


def oracle_boxes(per_image: PerImage, protocol: Protocol, percent: int, contours: str) -> MetricFamily:
    """MaxBoxAcc at one IoU, ``contours`` "single" or "all"; only thresholds that may win a resample."""
    rows, cut, codes, whole = _at_cuts(per_image, contours, protocol.thresholds)
    correct = codes >= percent * whole // 100
    kept = candidate_thresholds(correct)
    name = "max_box_acc" if contours == "single" else "max_box_acc_v2"
    return MetricFamily(
        cut.thresholds[kept], {f"{name}@{percent / 100:g}": Mean(correct[:, kept], rows)}
    )


def localization(per_image: PerImage, thresholds: np.ndarray, oracle: bool) -> MetricFamily:
    """GT-known, top-1 and top-5 Loc at IoU 0.5 and mean IoU, at the threshold best for GT-known."""
    rows, cut, codes, whole = _at_cuts(per_image, "single", thresholds)
    correct = codes >= 50 * whole // 100
    kept = candidate_thresholds(correct)
    correct = correct[:, kept]
    curves: dict[str, Curve] = {"gt_known_loc@0.5": Mean(correct, rows)}
    if has_classes(per_image):
        for key, flag in {"top1_loc@0.5": per_image.top1, "top5_loc@0.5": per_image.top5}.items():
            curves[key] = Mean(correct & (flag[rows] == 1)[:, None], rows)
    curves["mean_iou"] = Mean(twice_iou(codes[:, kept]), rows, whole=2.0 * whole)
    return MetricFamily(cut.thresholds[kept], curves, oracle)


def box_acc_v2(
    per_image: PerImage, protocol: Protocol, thresholds: np.ndarray, oracle: bool
) -> MetricFamily:
    """All contours, one threshold for all IoUs: the mean of the accuracies at it."""
    rows, cut, codes, whole = _at_cuts(per_image, "all", thresholds)
    curves = [Mean(codes >= percent * whole // 100, rows) for percent in protocol.iou_percents]
    return MetricFamily(cut.thresholds, {"box_acc_v2": MeanOf(curves)}, oracle)


def pixels(per_image: PerImage, protocol: Protocol, mean_iou: bool) -> PixelMetricFamily:
    """PxAP, the peak of the pooled IoU (oracle always), and at that threshold the masks' mean IoU."""
    everything = np.arange(len(protocol.thresholds))
    curves: dict[str, Curve] = {"mean_iou": _mean_mask_iou(per_image, everything)} if mean_iou else {}
    return PixelMetricFamily(protocol.thresholds, curves, pixels=Pixels(*_pixel_counts(per_image)))


def mean_mask_iou(per_image: PerImage, protocol: Protocol, threshold: float) -> MetricFamily:
    """IoU of mask and thresholded map, over the images with foreground, at a given threshold."""
    column = columns_at(protocol, threshold)
    curves: dict[str, Curve] = {"mean_iou": _mean_mask_iou(per_image, column)}
    return MetricFamily(protocol.thresholds[column], curves, oracle=False)


def _mean_mask_iou(per_image: PerImage, columns: np.ndarray) -> Mean:
    positives, negatives = _pixel_counts(per_image)
    rows = np.flatnonzero(positives.sum(axis=1) > 0)
    iou = pooled_iou(positives[rows], negatives[rows])[:, columns]
    return Mean(units(iou), rows, whole=UNIT)


def columns_at(protocol: Protocol, threshold: float) -> np.ndarray:
    """The place (1,) of a given threshold in the grid; of one off the grid, the next above."""
    place = np.searchsorted(protocol.thresholds, threshold - 1e-9)
    return np.array([min(int(place), len(protocol.thresholds) - 1)])


def rubinstein(
    per_image: PerImage, protocol: Protocol, columns: np.ndarray, oracle: bool
) -> MetricFamily:
    """J and P, the means over classes, at the threshold (of ``columns``) that is best for J.

    Each class's own follow under ``rubinstein_j:<label>``, read at the same threshold. P is over all
    images of a class, J over those with the object (Rubinstein et al., 2013). The paper's maps are
    binary: that one threshold serves all classes, and that J chooses it, is ours.
    """
    all_positives, all_negatives = _pixel_counts(per_image)
    jaccard: dict[str, Curve] = {}
    precision: dict[str, Curve] = {}
    for label in np.unique(per_image.labels).tolist():
        rows = np.flatnonzero(per_image.labels == label)
        positives, negatives = all_positives[rows], all_negatives[rows]
        right = units(right_pixels(positives, negatives)[:, columns])
        precision[f"rubinstein_p:{label}"] = Mean(right, rows, whole=UNIT)
        there = positives.sum(axis=1) > 0
        overlap = units(pooled_iou(positives[there], negatives[there])[:, columns])
        jaccard[f"rubinstein_j:{label}"] = Mean(overlap, rows[there], whole=UNIT)
    means: dict[str, Curve] = {
        "rubinstein_j": MeanOf(list(jaccard.values())),
        "rubinstein_p": MeanOf(list(precision.values())),
    }
    return MetricFamily(protocol.thresholds[columns], means | jaccard | precision, oracle)


def candidate_thresholds(values: np.ndarray) -> np.ndarray:
    """Columns of ``values`` (n, C) whose mean may be the highest in a resample, in their order.

    Left out are those whose mean lies more than eight standard errors of the paired difference
    below the best: a resample would turn that round with a chance under 1e-14.
    """
    if not len(values):
        return np.arange(values.shape[1])
    sums = values.sum(axis=0, dtype=np.int64)
    best = values[:, np.argmax(sums)]
    gap = sums.max() - sums
    # The differences are -1, 0 and 1: their squares count the images on which two thresholds differ.
    differing = (values != best[:, None]).sum(axis=0, dtype=np.int64)
    return np.flatnonzero(gap <= OUT_OF_REACH * np.sqrt(differing - gap**2 / len(values)))


def codes_of(per_image: PerImage, contours: str) -> tuple[np.ndarray, int, np.ndarray]:
    """The images (n,) with a true box, the code of IoU 1, and the IoU codes (n, 256) per cut."""
    codes = per_image.single if contours == "single" else per_image.all
    assert codes is not None
    rows = np.flatnonzero(per_image.has_box)
    return rows, SINGLE_UNITS if contours == "single" else ALL_UNITS, codes[rows]


def _at_cuts(per_image: PerImage, contours: str, thresholds: np.ndarray):
    rows, whole, codes = codes_of(per_image, contours)
    cut = Cuts.of_grid(thresholds, per_image.top[rows]).distinct()
    return rows, cut, cut.take(codes), whole


def _pixel_counts(per_image: PerImage) -> tuple[np.ndarray, np.ndarray]:
    assert per_image.positives is not None and per_image.negatives is not None
    return per_image.positives, per_image.negatives
