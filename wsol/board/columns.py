"""The columns of the board, in their one order, and how each number is spelled."""

from __future__ import annotations

# What makes a row a row: two records that agree in all of these share one.
KEY_COLUMNS = (
    "dataset",
    "split",
    "backbone",
    "weights",
    "attention",
    "method",
    "maps",
    "protocol",
    "threshold_policy",
    "selection",
)

DELTAS = ("0.3", "0.5", "0.7")

METRICS = (
    "top1_acc",
    "top5_acc",
    *(f"max_box_acc@{delta}" for delta in DELTAS),
    *(f"max_box_acc_v2@{delta}" for delta in DELTAS),
    "max_box_acc_v2",
    "gt_known_loc@0.5",
    "top1_loc@0.5",
    "top5_loc@0.5",
    "box_acc_v2",
    "mean_iou",
    "pxap",
    "peak_iou",
    "rubinstein_p",
    "rubinstein_j",
)

# What a reader sees first; the rest is in the CSV.
MAIN_METRICS = (
    "top1_acc",
    "top1_loc@0.5",
    "gt_known_loc@0.5",
    *(f"max_box_acc@{delta}" for delta in DELTAS),
    "max_box_acc_v2",
    "box_acc_v2",
    "pxap",
    "peak_iou",
    "rubinstein_p",
    "rubinstein_j",
)

# Rows are ranked by the first of these that the table has. MaxBoxAccV2 does not lead: any of many
# contours may be right there, which flatters ragged maps.
RANKED_BY = (
    "max_box_acc@0.5",
    "gt_known_loc@0.5",
    "max_box_acc_v2",
    "box_acc_v2",
    "pxap",
    "rubinstein_j",
    "mean_iou",
    "top1_acc",
)

# How a metric reads in a table that people look at.
SHORT_NAMES = {
    "top1_acc": "Top-1 acc",
    "top5_acc": "Top-5 acc",
    **{f"max_box_acc@{delta}": f"MaxBoxAcc .{delta[-1]}" for delta in DELTAS},
    **{f"max_box_acc_v2@{delta}": f"MaxBoxAccV2 .{delta[-1]}" for delta in DELTAS},
    "max_box_acc_v2": "MaxBoxAccV2",
    "gt_known_loc@0.5": "GT-known .5",
    "top1_loc@0.5": "Top-1 loc .5",
    "top5_loc@0.5": "Top-5 loc .5",
    "box_acc_v2": "BoxAccV2",
    "mean_iou": "Mean IoU",
    "pxap": "PxAP",
    "peak_iou": "Peak IoU",
    "rubinstein_p": "P",
    "rubinstein_j": "J",
}

STATISTICS = ("", "_std", "_low", "_high")

# Each with the format of its numbers; text stays as it is.
COST_COLUMNS = {
    "input_size": "d",
    "map_size": "",
    "params": "d",
    "gflops": ".3f",
    "images_per_second": ".1f",
    "device": "",
    "pretraining": "",
    "extra_supervision": "",
    "tuning_trials": "d",
}

# Score maps that every localizer has to beat.
BASELINES = {
    "center": "centred box",
    "gaussian": "centred Gaussian",
    "features": "feature mean",
    "background": "all background",
    "foreground": "all foreground",
}


def short_name(metric: str) -> str:
    """What a table calls a metric: ``J``, or ``J Horse`` for that of a class."""
    of_all, _, of_class = metric.partition(":")
    name = SHORT_NAMES.get(of_all, of_all)
    return f"{name} {of_class}" if of_class else name


def percent(value: float | None, digits: int = 3) -> str:
    """A metric in percent with a fixed number of digits; empty where there is none, never 0."""
    return "" if value is None else f"{value:.{digits}f}"
