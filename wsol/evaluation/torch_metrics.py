"""The metrics as torchmetrics classes, for validation loops; states are sums, so processes add up.

Import this module by its name only: torchmetrics takes seconds to load, and nothing else needs it.
Values are percent, NaN without images, and equal to those of `wsol.evaluation.metrics.compute`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from wsol.evaluation.evaluator import collect
from wsol.evaluation.masks import pixel_histograms
from wsol.evaluation.score_map import normalise
from wsol.scores import curves
from wsol.scores.per_image import ALL_UNITS, SINGLE_UNITS
from wsol.scores.protocol import protocol
from wsol.scores.records import Annotation, Prediction
from wsol.scores.threshold_families import codes_of
from wsol.scores.thresholds import Cuts


class _Sums(Metric):
    """Whole numbers that add up over batches and processes."""

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    def __init__(
        self, convention: str, step: float | None, threshold: float | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.protocol = protocol(convention, step)
        self.thresholds = self.protocol.thresholds if threshold is None else np.array([threshold])

    def _start(self, **shapes: tuple[int, ...]) -> None:
        for name, shape in shapes.items():
            self.add_state(name, torch.zeros(shape, dtype=torch.int64), dist_reduce_fx="sum")

    def _add(self, **counts: Any) -> None:
        for name, count in counts.items():
            state = getattr(self, name)
            setattr(
                self, name, state + torch.as_tensor(np.asarray(count, np.int64), device=state.device)
            )


def _percent(part: Tensor, whole: Tensor) -> Tensor:
    return 100.0 * part.double() / whole.double()


class _OnBoxes(_Sums):
    """Counts over thresholds, of the IoU of one contour rule."""

    contours = "single"
    images: Tensor
    correct: Tensor

    def __init__(
        self,
        convention: str = "choe2020",
        step: float | None = None,
        threshold: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(convention, step, threshold, **kwargs)
        self._start(images=())

    def update(
        self, maps: Tensor, boxes: Tensor | Sequence[Any], size: tuple[int, int] | None = None
    ) -> None:
        """Score maps (N, h, w); true boxes (N, 4), or one (g, 4) an image, ``x0, y0, x1, y1``.

        ``size`` (height, width) is that of the images in whose pixels the boxes are; without it they are
        in pixels of the maps. Images without a box are left out.
        """
        rows, codes = self._codes(maps, boxes, size)
        self._count(codes, rows)

    def _codes(self, maps: Tensor, boxes: Any, size: tuple[int, int] | None):
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
        scored = collect(predictions, annotations, self.protocol, pixels=False)
        if scored.single is None:
            return np.zeros(0, int), np.zeros((0, len(self.thresholds)), np.uint16)
        rows, _, codes = codes_of(scored, self.contours)
        return rows, Cuts.of_grid(self.thresholds, scored.top[rows]).take(codes)

    def _count(self, codes: np.ndarray, rows: np.ndarray) -> None:
        # Abstract: each metric below adds up its own state, and nobody makes an object of this class.
        raise NotImplementedError


class MaxBoxAcc(_OnBoxes):
    """MaxBoxAcc (Choe et al., CVPR 2020): single contour, IoU at least ``iou``, best threshold."""

    def __init__(self, iou: float = 0.5, **kwargs: Any):
        super().__init__(**kwargs)
        self.iou = iou
        self._start(correct=self.thresholds.shape)

    def _count(self, codes: np.ndarray, rows: np.ndarray) -> None:
        self._add(correct=(codes >= round(self.iou * SINGLE_UNITS)).sum(axis=0), images=len(rows))

    def compute(self) -> Tensor:
        """Percent of images, a scalar."""
        return _percent(self.correct.max(), self.images)


class GTKnownLoc(MaxBoxAcc):
    """GT-known Loc: `MaxBoxAcc` at IoU 0.5, at a given ``threshold`` where it is not None."""

    def __init__(self, threshold: float | None = None, **kwargs: Any):
        super().__init__(iou=0.5, threshold=threshold, **kwargs)


class MaxBoxAccV2(_OnBoxes):
    """MaxBoxAccV2: all contours, the mean over IoU 0.3, 0.5 and 0.7, each at its own best threshold."""

    contours = "all"

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self._start(correct=(len(self.protocol.iou_percents), *self.thresholds.shape))

    def _count(self, codes: np.ndarray, rows: np.ndarray) -> None:
        levels = [percent * ALL_UNITS // 100 for percent in self.protocol.iou_percents]
        self._add(correct=[(codes >= level).sum(axis=0) for level in levels], images=len(rows))

    def compute(self) -> Tensor:
        """Percent of images, a scalar."""
        return _percent(self.correct.amax(dim=1), self.images).mean()


class TopKLoc(_OnBoxes):
    """Top-k Loc: the true class among the first ``k``, and its map's box at IoU 0.5 or more.

    At a given ``threshold``, or else at the one that is best for GT-known Loc.
    """

    known: Tensor

    def __init__(self, k: int = 1, threshold: float | None = None, **kwargs: Any):
        super().__init__(threshold=threshold, **kwargs)
        self.k = k
        self._start(known=self.thresholds.shape, correct=self.thresholds.shape)

    def update(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        maps: Tensor,
        boxes: Tensor | Sequence[Any],
        logits: Tensor,
        labels: Tensor,
        size: tuple[int, int] | None = None,
    ) -> None:
        """As `MaxBoxAcc`, with class scores (N, K) and true labels (N,)."""
        rows, codes = self._codes(maps, boxes, size)
        best = logits.topk(min(self.k, logits.shape[1]), dim=1).indices
        right = (best == labels[:, None]).any(dim=1).cpu().numpy()[rows]
        known = codes >= SINGLE_UNITS // 2
        self._add(
            known=known.sum(axis=0), correct=(known & right[:, None]).sum(axis=0), images=len(rows)
        )

    def compute(self) -> Tensor:
        """Percent of images, a scalar."""
        return _percent(self.correct[self.known.argmax()], self.images)


class _OnMasks(_Sums):
    def __init__(self, convention: str = "choe2020", step: float | None = None, **kwargs: Any):
        super().__init__(convention, step, **kwargs)
        self.bins = len(self.protocol.bin_edges)

    def _histograms(self, maps: Tensor, masks: Tensor) -> tuple[np.ndarray, np.ndarray]:
        pairs = [
            pixel_histograms(
                normalise(score_map, mask.shape, self.protocol.interpolation),
                mask,
                self.protocol.bin_edges,
            )
            for score_map, mask in zip(
                maps.detach().float().cpu().numpy(), masks.cpu().numpy().astype(np.uint8), strict=True
            )
        ]
        counts = np.array(pairs, np.int64).reshape(-1, 2, self.bins)
        return counts[:, 0], counts[:, 1]


class PxAP(_OnMasks):
    """Pixel average precision (Choe et al., CVPR 2020), pixels of all images in one pool."""

    positives: Tensor
    negatives: Tensor

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self._start(positives=(self.bins,), negatives=(self.bins,))

    def update(self, maps: Tensor, masks: Tensor) -> None:
        """Score maps (N, h, w) and true masks (N, H, W), 1 object, 0 background, 255 ignored.

        Maps are resized to the masks; wsolevaluation has both at 224 x 224.
        """
        positives, negatives = self._histograms(maps, masks)
        self._add(positives=positives.sum(axis=0), negatives=negatives.sum(axis=0))

    def compute(self) -> Tensor:
        """Percent, a scalar."""
        return torch.tensor(curves.average_precision(*self._sums()))

    def _sums(self) -> tuple[np.ndarray, np.ndarray]:
        return self.positives.cpu().numpy(), self.negatives.cpu().numpy()


class PeakIoU(PxAP):
    """The best over thresholds of TP / (TP + FP + FN), pixels of all images in one pool."""

    def compute(self) -> Tensor:
        """Percent, a scalar."""
        return torch.tensor(curves.pooled_iou(*self._sums()).max())


class Rubinstein(_OnMasks):
    """P and J (Rubinstein et al., CVPR 2013), means over classes, at the threshold best for J."""

    right: Tensor
    overlap: Tensor
    images: Tensor
    with_object: Tensor

    def __init__(self, num_classes: int, convention: str = "rubinstein2013", **kwargs: Any):
        super().__init__(convention, **kwargs)
        shape = (num_classes, len(self.thresholds))
        self._start(right=shape, overlap=shape, images=(num_classes, 1), with_object=(num_classes, 1))

    def update(self, maps: Tensor, masks: Tensor, labels: Tensor) -> None:
        """As `PxAP`, with the class (N,) of each image; P is over all, J over those with an object."""
        positives, negatives = self._histograms(maps, masks)
        sums = {name: np.zeros(getattr(self, name).shape, np.int64) for name in self._defaults}
        for label, true, false in zip(labels.tolist(), positives, negatives, strict=True):
            sums["images"][label] += 1
            sums["right"][label] += curves.units(curves.right_pixels(true, false)).astype(np.int64)
            if true.any():
                sums["with_object"][label] += 1
                sums["overlap"][label] += curves.units(curves.pooled_iou(true, false)).astype(np.int64)
        self._add(**sums)

    def compute(self) -> tuple[Tensor, Tensor]:
        """``(P, J)`` in percent, scalars."""
        right = _percent(self.right, curves.UNIT * self.images).nanmean(dim=0)
        overlap = _percent(self.overlap, curves.UNIT * self.with_object).nanmean(dim=0)
        best = overlap.nan_to_num(-1.0).argmax()
        return right[best], overlap[best]
