"""wsol: a benchmark suite for weakly-supervised object localization.

The verbs and the few types that users hold. Each name loads what it needs when it is first used, so that
``import wsol`` costs next to nothing.

>>> import wsol
>>> score_map = [[0, 0, 0, 0], [0, 9, 8, 0], [0, 7, 9, 0], [0, 0, 0, 0]]
>>> wsol.iou(wsol.box(score_map), [1, 1, 4, 3])
0.6666666666666666
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from wsol.data.annotations.conventions import Conventions
    from wsol.data.manifest.manifest import Manifest
    from wsol.errors import UserError
    from wsol.evaluation.in_memory.boxes_and_iou import box, boxes, iou
    from wsol.evaluation.in_memory.localization import Localization
    from wsol.evaluation.in_memory.metric_calls import (
        MetricValue,
        gt_known_loc,
        max_box_acc,
        max_box_acc_v2,
        mean_iou,
        peak_iou,
        pxap,
        top1_loc,
    )
    from wsol.evaluation.in_memory.torch_metrics import (
        GTKnownLoc,
        MaxBoxAcc,
        MaxBoxAccV2,
        PeakIoU,
        PxAP,
        Rubinstein,
        TopKLoc,
    )
    from wsol.pipeline.benchmark import benchmark
    from wsol.pipeline.demo import demo
    from wsol.pipeline.diagnosis.diagnose import Diagnosis, diagnose
    from wsol.pipeline.evaluate_maps import evaluate_maps
    from wsol.pipeline.evaluate_run import evaluate_run as evaluate
    from wsol.pipeline.leaderboard import leaderboard
    from wsol.pipeline.model import Model, load
    from wsol.pipeline.outputs.publish import Outputs
    from wsol.pipeline.own_images.evaluate_images import evaluate_images
    from wsol.pipeline.own_images.localize import localize
    from wsol.pipeline.propose import propose
    from wsol.pipeline.robustness.attacks import Attack
    from wsol.pipeline.robustness.robustness import robustness
    from wsol.pipeline.train import train
    from wsol.pipeline.transfer.transfer import transfer
    from wsol.recipe import EvaluationSettings, Recipe
    from wsol.scores.protocol import Protocol
    from wsol.scores.records import RunRecord

# Where each name lives; a test holds it against the imports above, which pyright reads.
_PLACES = {
    "Attack": "wsol.pipeline.robustness.attacks",
    "Conventions": "wsol.data.annotations.conventions",
    "Diagnosis": "wsol.pipeline.diagnosis.diagnose",
    "EvaluationSettings": "wsol.recipe",
    "GTKnownLoc": "wsol.evaluation.in_memory.torch_metrics",
    "Localization": "wsol.evaluation.in_memory.localization",
    "Manifest": "wsol.data.manifest.manifest",
    "MaxBoxAcc": "wsol.evaluation.in_memory.torch_metrics",
    "MaxBoxAccV2": "wsol.evaluation.in_memory.torch_metrics",
    "MetricValue": "wsol.evaluation.in_memory.metric_calls",
    "Model": "wsol.pipeline.model",
    "Outputs": "wsol.pipeline.outputs.publish",
    "PeakIoU": "wsol.evaluation.in_memory.torch_metrics",
    "Protocol": "wsol.scores.protocol",
    "PxAP": "wsol.evaluation.in_memory.torch_metrics",
    "Recipe": "wsol.recipe",
    "Rubinstein": "wsol.evaluation.in_memory.torch_metrics",
    "RunRecord": "wsol.scores.records",
    "TopKLoc": "wsol.evaluation.in_memory.torch_metrics",
    "UserError": "wsol.errors",
    "benchmark": "wsol.pipeline.benchmark",
    "box": "wsol.evaluation.in_memory.boxes_and_iou",
    "boxes": "wsol.evaluation.in_memory.boxes_and_iou",
    "demo": "wsol.pipeline.demo",
    "diagnose": "wsol.pipeline.diagnosis.diagnose",
    "evaluate": "wsol.pipeline.evaluate_run:evaluate_run",
    "evaluate_images": "wsol.pipeline.own_images.evaluate_images",
    "evaluate_maps": "wsol.pipeline.evaluate_maps",
    "gt_known_loc": "wsol.evaluation.in_memory.metric_calls",
    "iou": "wsol.evaluation.in_memory.boxes_and_iou",
    "leaderboard": "wsol.pipeline.leaderboard",
    "load": "wsol.pipeline.model",
    "localize": "wsol.pipeline.own_images.localize",
    "max_box_acc": "wsol.evaluation.in_memory.metric_calls",
    "max_box_acc_v2": "wsol.evaluation.in_memory.metric_calls",
    "mean_iou": "wsol.evaluation.in_memory.metric_calls",
    "peak_iou": "wsol.evaluation.in_memory.metric_calls",
    "propose": "wsol.pipeline.propose",
    "pxap": "wsol.evaluation.in_memory.metric_calls",
    "robustness": "wsol.pipeline.robustness.robustness",
    "top1_loc": "wsol.evaluation.in_memory.metric_calls",
    "train": "wsol.pipeline.train",
    "transfer": "wsol.pipeline.transfer.transfer",
}

__all__ = [
    "Attack",
    "Conventions",
    "Diagnosis",
    "EvaluationSettings",
    "GTKnownLoc",
    "Localization",
    "Manifest",
    "MaxBoxAcc",
    "MaxBoxAccV2",
    "MetricValue",
    "Model",
    "Outputs",
    "PeakIoU",
    "Protocol",
    "PxAP",
    "Recipe",
    "Rubinstein",
    "RunRecord",
    "TopKLoc",
    "UserError",
    "benchmark",
    "box",
    "boxes",
    "demo",
    "diagnose",
    "evaluate",
    "evaluate_images",
    "evaluate_maps",
    "gt_known_loc",
    "iou",
    "leaderboard",
    "load",
    "localize",
    "max_box_acc",
    "max_box_acc_v2",
    "mean_iou",
    "peak_iou",
    "propose",
    "pxap",
    "robustness",
    "top1_loc",
    "train",
    "transfer",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'wsol' has no attribute {name!r}")
    module, _, attribute = _PLACES[name].partition(":")
    found = getattr(importlib.import_module(module), attribute or name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    # What a user may call, without this file's own imports.
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
