"""The metrics as torchmetrics classes, for validation loops; states are sums, so processes add up.

Import this module by its name only: torchmetrics takes seconds to load, and nothing else needs it. Each
class is a state and one or two metrics of `wsol.scores.metrics`, whose curves say what adds up and what
it gives: values are percent, NaN without images, and equal to those of the evaluator.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torchmetrics
from torch import Tensor

from wsol.evaluation.evaluator import collect
from wsol.evaluation.masks import pixel_histograms
from wsol.evaluation.score_map import normalise
from wsol.scores.iou_codes import CUTS
from wsol.scores.metrics.gt_known_loc import GTKnownLocMetric
from wsol.scores.metrics.max_box_acc import MaxBoxAccMetric
from wsol.scores.metrics.max_box_acc_v2 import MaxBoxAccV2Metric
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.peak_iou import PeakIoUMetric
from wsol.scores.metrics.pxap import PxAPMetric
from wsol.scores.metrics.rubinstein import RubinsteinJMetric, RubinsteinPMetric
from wsol.scores.metrics.top_k_loc import TopKLocMetric
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Annotation, Prediction
from wsol.scores.threshold_families import best_threshold


class _Totals(torchmetrics.Metric):
    """The totals of some metrics' curves: whole numbers that add up over batches and processes."""

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    def __init__(
        self,
        convention: str = "choe2020",
        step: float | None = None,
        threshold: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.protocol = protocol_named(convention, step)
        self.thresholds = self.protocol.thresholds if threshold is None else np.array([threshold])

    def _count(self, *metrics: Metric) -> None:
        """Count these metrics: a state for each array of their totals over no images."""
        self._counted = metrics
        masks = any("masks" in metric.specification.needs for metric in metrics)
        nothing = PerImage.empty([], self.protocol, pixels=masks)
        none = np.zeros((0, CUTS), np.uint16)
        nothing = dataclasses.replace(nothing, single=none, all=none)
        self._curves = [metric.curve(nothing, self.thresholds) for metric in metrics]
        for place, curve in enumerate(self._curves):
            for part, total in enumerate(curve.totals(np.ones((1, 0), np.float32))):
                shape = torch.zeros(total.shape, dtype=torch.int64)
                self.add_state(f"metric{place}_part{part}", shape, dist_reduce_fx="sum")

    def _add(self, per_image: PerImage) -> None:
        everyone = np.ones((1, len(per_image)), np.float32)
        for place, metric in enumerate(self._counted):
            totals = metric.curve(per_image, self.thresholds).totals(everyone)
            for part, total in enumerate(totals):
                name = f"metric{place}_part{part}"
                state = getattr(self, name)
                more = torch.as_tensor(total.astype(np.int64), device=state.device)
                setattr(self, name, state + more)

    def _percent(self) -> list[np.ndarray]:
        """The curve (C,) of each metric, in percent."""
        found = []
        for place, curve in enumerate(self._curves):
            states = [getattr(self, f"metric{place}_part{part}") for part in range(curve.parts)]
            found.append(curve.percent(tuple(state.cpu().numpy() for state in states))[0])
        return found

    def _at_best_of(self, chooser: int) -> list[Tensor]:
        """The value of each metric, a scalar, where the curve of one of them is highest."""
        curves = self._percent()
        (best,) = best_threshold(curves[chooser][None])
        return [torch.tensor(curve[best]) for curve in curves]


class _OnBoxes(_Totals):
    """Metrics of boxes that need no class."""

    def update(
        self, maps: Tensor, boxes: Tensor | Sequence[Any], size: tuple[int, int] | None = None
    ) -> None:
        """Score maps (N, h, w); true boxes (N, 4), or one (g, 4) an image, ``x0, y0, x1, y1``.

        ``size`` (height, width) is that of the images in whose pixels the boxes are; without it they are
        in pixels of the maps. Images without a box are left out.
        """
        scored = self._scored(maps, boxes, size)
        if scored.has("boxes"):
            self._add(scored)

    def compute(self) -> Tensor:
        """Percent of images, a scalar."""
        return self._at_best_of(0)[0]

    def _scored(self, maps: Tensor, boxes: Any, size: tuple[int, int] | None) -> PerImage:
        height, width = size or tuple(maps.shape[-2:])
        annotations, predictions = [], []
        for row, (score_map, true) in enumerate(zip(maps, boxes, strict=True)):
            true = np.asarray(torch.as_tensor(true).cpu(), np.float32).reshape(-1, 4)
            if (true > [width, height, width, height]).any():
                raise ValueError(
                    f"a box {true.max(axis=0)} leaves the {width} x {height} image: give size"
                )
            annotations.append(Annotation(str(row), 0, (height, width), true, true))
            predictions.append(
                Prediction(str(row), 0, score_map=score_map.detach().float().cpu().numpy())
            )
        return collect(predictions, annotations, self.protocol, pixels=False)


class MaxBoxAcc(_OnBoxes):
    """MaxBoxAcc (Choe et al., CVPR 2020): single contour, IoU at least ``iou``, best threshold."""

    def __init__(self, iou: float = 0.5, **kwargs: Any):
        super().__init__(**kwargs)
        self.iou = iou
        self._count(MaxBoxAccMetric(iou))


class GTKnownLoc(_OnBoxes):
    """GT-known Loc: `MaxBoxAcc` at IoU 0.5, at a given ``threshold`` where it is not None."""

    def __init__(self, threshold: float | None = None, **kwargs: Any):
        super().__init__(threshold=threshold, **kwargs)
        self._count(GTKnownLocMetric())


class MaxBoxAccV2(_OnBoxes):
    """MaxBoxAccV2: all contours, the mean over IoU 0.3, 0.5 and 0.7, each at its own best threshold."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self._count(*(MaxBoxAccV2Metric(iou) for iou in self.protocol.ious))

    def compute(self) -> Tensor:
        """Percent of images, a scalar."""
        return torch.tensor(np.mean([curve.max() for curve in self._percent()]))


class TopKLoc(_OnBoxes):
    """Top-k Loc: the true class among the first ``k``, and its map's box at IoU 0.5 or more.

    At a given ``threshold``, or else at the one that is best for GT-known Loc.
    """

    def __init__(self, k: int = 1, threshold: float | None = None, **kwargs: Any):
        super().__init__(threshold=threshold, **kwargs)
        self.k = k
        self._count(GTKnownLocMetric(), TopKLocMetric(5))

    def update(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        maps: Tensor,
        boxes: Tensor | Sequence[Any],
        logits: Tensor,
        labels: Tensor,
        size: tuple[int, int] | None = None,
    ) -> None:
        """As `MaxBoxAcc`, with class scores (N, K) and true labels (N,)."""
        scored = self._scored(maps, boxes, size)
        if not scored.has("boxes"):
            return
        best = logits.topk(min(self.k, logits.shape[1]), dim=1).indices
        # The arrays know the first one and the first five: for any other k the latter is overwritten.
        scored.top5[:] = (best == labels[:, None]).any(dim=1).cpu().numpy()
        self._add(scored)

    def compute(self) -> Tensor:
        """Percent of images, a scalar."""
        return self._at_best_of(0)[1]


class _OnMasks(_Totals):
    def __init__(self, convention: str = "choe2020", step: float | None = None, **kwargs: Any):
        super().__init__(convention, step, **kwargs)

    def _scored(self, maps: Tensor, masks: Tensor, labels: Sequence[int]) -> PerImage:
        size = (int(masks.shape[-2]), int(masks.shape[-1]))
        images = [Annotation(str(row), label, size) for row, label in enumerate(labels)]
        scored = PerImage.empty(images, self.protocol, pixels=True)
        positives, negatives = scored.pixels
        pairs = zip(
            maps.detach().float().cpu().numpy(), masks.cpu().numpy().astype(np.uint8), strict=True
        )
        for row, (score_map, mask) in enumerate(pairs):
            normalised = normalise(score_map, mask.shape, self.protocol.interpolation)
            positives[row], negatives[row] = pixel_histograms(normalised, mask, self.protocol.bin_edges)
        return scored


class PxAP(_OnMasks):
    """Pixel average precision (Choe et al., CVPR 2020), pixels of all images in one pool."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self._count(self._metric())

    def update(self, maps: Tensor, masks: Tensor) -> None:
        """Score maps (N, h, w) and true masks (N, H, W), 1 object, 0 background, 255 ignored.

        Maps are resized to the masks; wsolevaluation has both at 224 x 224.
        """
        self._add(self._scored(maps, masks, [0] * len(maps)))

    def compute(self) -> Tensor:
        """Percent, a scalar."""
        return self._at_best_of(0)[0]

    def _metric(self) -> Metric:
        return PxAPMetric()


class PeakIoU(PxAP):
    """The best over thresholds of TP / (TP + FP + FN), pixels of all images in one pool."""

    def _metric(self) -> Metric:
        return PeakIoUMetric()


class Rubinstein(_OnMasks):
    """P and J (Rubinstein et al., CVPR 2013), means over classes, at the threshold best for J."""

    def __init__(self, num_classes: int, convention: str = "rubinstein2013", **kwargs: Any):
        super().__init__(convention, **kwargs)
        labels = tuple(range(num_classes))
        self._count(RubinsteinPMetric(labels), RubinsteinJMetric(labels))

    def update(self, maps: Tensor, masks: Tensor, labels: Tensor) -> None:
        """As `PxAP`, with the class (N,) of each image; P is over all, J over those with an object."""
        self._add(self._scored(maps, masks, labels.tolist()))

    def compute(self) -> tuple[Tensor, Tensor]:
        """``(P, J)`` in percent, scalars."""
        precision, overlap = self._at_best_of(1)
        return precision, overlap
