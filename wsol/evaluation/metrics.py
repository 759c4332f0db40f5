"""All metrics of a split from its per-image arrays, with intervals; no second look at the maps.

======================== ============================================================================
key                      what it is, in percent
======================== ============================================================================
top1_acc, top5_acc       the true class is the first, is among the first five
max_box_acc@d            single contour, IoU >= d at the threshold best for it
max_box_acc_v2@d         all contours, likewise (Choe et al., 2020); max_box_acc_v2: their mean
gt_known_loc@0.5         single contour, IoU >= 0.5 at the policy's threshold
top1_loc@0.5, top5_loc   and the true class is the first, among the first five, same threshold
box_acc_v2               all contours, the mean over d at one threshold; policies val and fixed only
mean_iou                 IoU of the single-contour box at gt_known's threshold; without any true box,
                         of the mask at the policy's threshold, over images with foreground
pxap, peak_iou           pixels of the split in one pool: average precision; best IoU
rubinstein_p, _j         pixels labelled right; IoU where the object is; means over classes
rubinstein_p:k, _j:k     those of class k, at the threshold of the mean
======================== ============================================================================

Keys with ``max_`` or ``peak_`` are oracle whatever the policy. What cannot be computed is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wsol.errors import UserError
from wsol.evaluation.bootstrap import RESAMPLES, interval, mean_of, replicate
from wsol.scores import threshold_families as families
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol, ThresholdPolicy
from wsol.scores.threshold_families import MetricFamily
from wsol.scores.thresholds import Cuts


@dataclass(frozen=True)
class Scores:
    """Metrics of a split: see `RunRecord` for ``metrics``, ``optimism``, ``threshold``."""

    metrics: dict[str, dict[str, float | None]]
    optimism: dict[str, float | None] = field(default_factory=dict)
    threshold: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> float | None:
        return self.metrics[key]["value"]


def metric_keys(protocol: Protocol) -> list[str]:
    """Every key of the protocol, in the order of the table above."""
    deltas = [f"{percent / 100:g}" for percent in protocol.iou_percents]
    return [
        *("top1_acc", "top5_acc"),
        *(f"max_box_acc@{delta}" for delta in deltas),
        *(f"max_box_acc_v2@{delta}" for delta in deltas),
        *(
            "max_box_acc_v2",
            "gt_known_loc@0.5",
            "top1_loc@0.5",
            "top5_loc@0.5",
            "box_acc_v2",
            "mean_iou",
        ),
        *("pxap", "peak_iou", "rubinstein_p", "rubinstein_j"),
    ]


def compute(
    per_image: PerImage,
    protocol: Protocol,
    policy: ThresholdPolicy | None = None,
    val: PerImage | None = None,
    intervals: bool = True,
    resamples: int = RESAMPLES,
) -> Scores:
    """All metrics of ``per_image``, percent, with 95 % intervals unless ``intervals`` is False.

    ``policy`` is the protocol's own where None. Under ``val`` the thresholds are chosen on the arrays
    ``val`` and count as given: the intervals are over the images of ``per_image`` alone.
    ``UserError`` where ``val`` is asked for without arrays, or they have nothing to choose on.
    """
    policy = policy or protocol.policy
    per_image.check(protocol)
    given = _given(protocol, policy, val)
    chosen = _families(per_image, protocol, policy, given)
    everyone = np.ones((1, len(per_image)), np.float32)
    values: dict[str, float] = {}
    thresholds: dict[str, float] = {}
    for family in chosen:
        for key, read in family(everyone).items():
            values[key] = float(read.values[0])
            if len(family.thresholds) and key != "pxap":
                place = 0 if read.chosen is None else int(read.chosen[0])
                thresholds[key] = float(family.thresholds[place])
    v2 = [key for key in values if key.startswith("max_box_acc_v2@")]
    if v2:
        values["max_box_acc_v2"] = float(np.mean([values[key] for key in v2]))
    draws = replicate(chosen, len(per_image), resamples) if intervals and len(per_image) else {}
    if v2 and draws:
        draws["max_box_acc_v2"] = mean_of([draws[key] for key in v2])
    metrics = {}
    of_classes = sorted(key for key in values if ":" in key)
    for key in [*metric_keys(protocol), *of_classes]:
        bounds = interval(values[key], draws[key]) if key in draws else None
        low, high = bounds or (None, None)
        metrics[key] = {"value": _known(values.get(key)), "low": low, "high": high}
    # What holds for a mean over classes holds for its parts: it is said once.
    optimism = {
        key: draw.optimism
        for key, draw in draws.items()
        if draw.flattered is not None and key not in of_classes
    }
    known = {
        key: value
        for key, value in thresholds.items()
        if _known(values[key]) is not None and key not in of_classes
    }
    chosen_on = {"oracle": "the scored images", "val": "val", "fixed": "given"}[policy.name]
    return Scores(metrics, optimism, {"policy": str(policy), "chosen_on": chosen_on, "values": known})


def accuracy_curve(
    per_image: PerImage, protocol: Protocol, percent: int = 50, contours: str = "single"
) -> tuple[np.ndarray, np.ndarray]:
    """Box accuracy in percent at every threshold of the grid: ``(thresholds (T,), accuracy (T,))``.

    ``contours`` is "single" (MaxBoxAcc is the curve's maximum) or "all" (V2).
    """
    per_image.check(protocol)
    rows, whole, codes = families.codes_of(per_image, contours)
    cuts = Cuts.of_grid(protocol.thresholds, per_image.top[rows])
    correct = cuts.take(codes) >= percent * whole // 100
    return protocol.thresholds, 100.0 * correct.sum(axis=0) / max(len(rows), 1)


def _families(
    per_image: PerImage, protocol: Protocol, policy: ThresholdPolicy, given: dict[str, float]
) -> list[MetricFamily]:
    oracle = policy.name == "oracle"
    found = families.classification(per_image)
    if per_image.single is not None:
        for contours in ("single", "all"):
            found += [
                families.oracle_boxes(per_image, protocol, percent, contours)
                for percent in protocol.iou_percents
            ]
        if oracle:
            found.append(families.localization(per_image, protocol.thresholds, oracle))
        else:
            at = [np.array([_threshold(given, key)]) for key in ("gt_known_loc@0.5", "box_acc_v2")]
            found.append(families.localization(per_image, at[0], oracle))
            found.append(families.box_acc_v2(per_image, protocol, at[1], oracle))
    if per_image.positives is not None:
        masks_alone = per_image.single is None
        found.append(families.pixels(per_image, protocol, mean_iou=masks_alone and oracle))
        if masks_alone and not oracle:
            found.append(families.mean_mask_iou(per_image, protocol, _threshold(given, "mean_iou")))
        if protocol.per_class:
            columns = np.arange(len(protocol.thresholds))
            if not oracle:
                columns = families.columns_at(protocol, _threshold(given, "rubinstein_j"))
            found.append(families.rubinstein(per_image, protocol, columns, oracle))
    return found


def _threshold(given: dict[str, float], key: str) -> float:
    if key not in given:
        raise UserError(f"val has nothing to choose the threshold of {key} on (boxes, or masks)")
    return given[key]


def _given(protocol: Protocol, policy: ThresholdPolicy, val: PerImage | None) -> dict[str, float]:
    """The thresholds that are not chosen on the scored images, by the key that chose them."""
    keys = ("gt_known_loc@0.5", "box_acc_v2", "mean_iou", "rubinstein_j")
    if policy.name == "fixed":
        assert policy.value is not None
        return dict.fromkeys(keys, policy.value)
    if policy.name == "oracle":
        return {}
    if val is None or not len(val) or (val.single is None and val.positives is None):
        raise UserError(
            "the threshold policy val needs a val split with boxes or masks, and there is none: "
            "prepare one, or choose oracle or fixed:0.2"
        )
    val.check(protocol)
    return _chosen_on(val, protocol)


def _chosen_on(val: PerImage, protocol: Protocol) -> dict[str, float]:
    everyone = np.ones((1, len(val)), np.float32)
    choosers: list[MetricFamily] = []
    if val.single is not None:
        choosers.append(families.localization(val, protocol.thresholds, oracle=True))
        choosers.append(families.box_acc_v2(val, protocol, protocol.thresholds, oracle=True))
    if val.positives is not None:
        choosers.append(families.pixels(val, protocol, mean_iou=val.single is None))
        if protocol.per_class:
            everything = np.arange(len(protocol.thresholds))
            choosers.append(families.rubinstein(val, protocol, everything, oracle=True))
    return {
        key: float(family.thresholds[read.chosen[0]])
        for family in choosers
        for key, read in family(everyone).items()
        if read.chosen is not None
    }


def _known(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else value
