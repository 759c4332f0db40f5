"""Each metric of maps that a program holds, in one call: value, 95 % interval, threshold.

Maps, boxes and masks are NumPy arrays, lists or tensors. Nothing is read from the disk. The metrics
are those of `wsol.scores.metrics`, the intervals those of `wsol.scores.resampling`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from wsol.errors import UserError
from wsol.evaluation.in_memory.boxes_and_iou import ArrayLike, as_array, check_threshold
from wsol.evaluation.in_memory.per_image_arrays import of_boxes, of_masks
from wsol.evaluation.split_scores import evaluate_metric
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol, ThresholdPolicy, protocol_named


class MetricValue(NamedTuple):
    """A metric in percent, its 95 % interval over images, and the threshold in [0, 1) it was read at.

    ``low`` and ``high`` speak of these maps alone, not of other seeds; ``threshold`` is None where the
    metric has none.
    """

    value: float
    low: float
    high: float
    threshold: float | None

    def __str__(self) -> str:
        at = "" if self.threshold is None else f" at threshold {self.threshold:.3f}"
        return f"{self.value:.1f} % [{self.low:.1f}, {self.high:.1f}]{at}"


def max_box_acc(
    maps: Sequence[ArrayLike] | ArrayLike,
    boxes: Sequence[ArrayLike] | ArrayLike,
    iou: float = 0.5,
    *,
    size: tuple[int, int] | Sequence[tuple[int, int]] | None = None,
    protocol: str = "choe2020",
) -> MetricValue:
    """MaxBoxAcc: the share of images whose largest contour's box is right, at the best threshold.

    Choe et al., CVPR 2020. The threshold is chosen on these very images; the interval accounts for it.

    Args:
        maps: (n, h, w), or n maps (h, w) of any sizes.
        boxes: (n, 4), or one (g, 4) an image: true boxes, half-open ``x0, y0, x1, y1``. An image without
            a box, (0, 4), is left out.
        iou: from which on a box is right, hundredths from 0.01 to 1.
        size: (height, width) of the images in whose pixels the boxes are, one for all or one each;
            without it they are in pixels of the maps.
        protocol: ``choe2020`` (the reference, bit for bit) or ``halfopen``.

    Raises:
        UserError: as many boxes as maps there must be; a box outside its image.

    Examples:
        >>> import wsol
        >>> score_map = [[0, 0, 0, 0], [0, 9, 8, 0], [0, 7, 9, 0], [0, 0, 0, 0]]
        >>> wsol.max_box_acc([score_map, score_map], [[1, 1, 3, 3], [0, 0, 1, 1]]).value
        50.0
    """
    if isinstance(iou, bool) or not isinstance(iou, int | float | np.number):
        raise UserError(f"iou is {iou!r}: give one number such as 0.5; call once for each IoU")
    percent = round(100 * iou)
    if not (0 < percent <= 100 and abs(100 * iou - percent) < 1e-6):
        raise UserError(f"iou is {iou}: give hundredths from 0.01 to 1, such as 0.5 or 0.55")
    conventions = dataclasses.replace(protocol_named(protocol), iou_percents=(percent,))
    per_image = of_boxes(maps, boxes, size, conventions)
    return _value(per_image, conventions, f"max_box_acc@{percent / 100:g}")


def max_box_acc_v2(
    maps: Sequence[ArrayLike] | ArrayLike,
    boxes: Sequence[ArrayLike] | ArrayLike,
    *,
    size: tuple[int, int] | Sequence[tuple[int, int]] | None = None,
    protocol: str = "choe2020",
) -> MetricValue:
    """MaxBoxAccV2: all contours, the mean over IoU .3, .5 and .7, each at its own best threshold.

    Choe et al., CVPR 2020. Arguments as of `max_box_acc`.
    """
    conventions = protocol_named(protocol)
    return _value(of_boxes(maps, boxes, size, conventions), conventions, "max_box_acc_v2")


def gt_known_loc(
    maps: Sequence[ArrayLike] | ArrayLike,
    boxes: Sequence[ArrayLike] | ArrayLike,
    threshold: float | None = None,
    *,
    size: tuple[int, int] | Sequence[tuple[int, int]] | None = None,
    protocol: str = "choe2020",
) -> MetricValue:
    """GT-known Loc at IoU .5: at a given ``threshold``, or without one at the best (MaxBoxAcc's).

    Arguments as of `max_box_acc`.
    """
    conventions = protocol_named(protocol)
    per_image = of_boxes(maps, boxes, size, conventions)
    return _value(per_image, conventions, "gt_known_loc@0.5", threshold)


def mean_iou(
    maps: Sequence[ArrayLike] | ArrayLike,
    boxes: Sequence[ArrayLike] | ArrayLike,
    threshold: float | None = None,
    *,
    size: tuple[int, int] | Sequence[tuple[int, int]] | None = None,
    protocol: str = "choe2020",
) -> MetricValue:
    """Mean IoU of the largest contour's box, at a given ``threshold`` or at the best for it.

    Arguments as of `max_box_acc`.
    """
    conventions = protocol_named(protocol)
    return _value(of_boxes(maps, boxes, size, conventions), conventions, "mean_iou", threshold)


def top1_loc(
    maps: Sequence[ArrayLike] | ArrayLike,
    boxes: Sequence[ArrayLike] | ArrayLike,
    right_class: ArrayLike,
    threshold: float | None = None,
    *,
    size: tuple[int, int] | Sequence[tuple[int, int]] | None = None,
    protocol: str = "choe2020",
) -> MetricValue:
    """Top-1 Loc at IoU .5: the class is right, and so is the box of the true class's map.

    Args:
        maps: those of the true classes, as of `max_box_acc`.
        boxes: as of `max_box_acc`, like size and protocol.
        right_class: (n,) bool, whether the first class is the true one.
        threshold: given beforehand; without it that of GT-known Loc.
    """
    conventions = protocol_named(protocol)
    right = as_array(right_class)
    if right.dtype != bool or right.shape != (len(maps),):
        raise UserError(
            f"right_class has shape {right.shape}, dtype {right.dtype}: give one bool for each of the "
            f"{len(maps)} maps"
        )
    per_image = of_boxes(maps, boxes, size, conventions)
    per_image.top1[:], per_image.top5[:] = right, right
    return _value(per_image, conventions, "top1_loc@0.5", threshold)


def pxap(
    maps: Sequence[ArrayLike] | ArrayLike,
    masks: Sequence[ArrayLike] | ArrayLike,
    *,
    protocol: str = "choe2020",
) -> MetricValue:
    """PxAP: average precision of pixels, those of all images in one pool (Choe et al., CVPR 2020).

    Args:
        maps: (n, h, w), or n maps (h, w) of any sizes.
        masks: (n, H, W), or n masks (H, W): not 0 where the object is. Maps and masks are brought to
            224 x 224.
        protocol: ``choe2020`` or ``halfopen``, which are the same for masks.

    Examples:
        >>> import wsol
        >>> import numpy as np
        >>> stripes = np.tile([0.0, 1.0], (224, 112))
        >>> wsol.pxap([stripes], [stripes > 0]).value
        100.0
    """
    conventions = protocol_named(protocol)
    return _value(of_masks(maps, masks, conventions), conventions, "pxap")


def peak_iou(
    maps: Sequence[ArrayLike] | ArrayLike,
    masks: Sequence[ArrayLike] | ArrayLike,
    *,
    protocol: str = "choe2020",
) -> MetricValue:
    """The best over thresholds of the IoU of pixels, those of all images in one pool.

    Arguments as of `pxap`.
    """
    conventions = protocol_named(protocol)
    return _value(of_masks(maps, masks, conventions), conventions, "peak_iou")


def _value(
    per_image: PerImage, protocol: Protocol, key: str, threshold: float | None = None
) -> MetricValue:
    if threshold is not None:
        check_threshold(threshold)
    policy = ThresholdPolicy("oracle") if threshold is None else ThresholdPolicy("fixed", threshold)
    found = evaluate_metric(per_image, protocol, key, policy)
    if found.value is None or found.low is None or found.high is None:
        raise UserError(f"{key}: there is nothing to score, no box or mask in any image")
    return MetricValue(found.value, found.low, found.high, found.threshold)
