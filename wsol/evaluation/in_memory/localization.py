"""What a prediction says of one image: box, mask, class, at a given threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.evaluation.boxes import box_at, to_image
from wsol.evaluation.in_memory.boxes_and_iou import check_threshold
from wsol.evaluation.score_map import mask_at, quantise
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Prediction
from wsol.scores.thresholds import cut_of

# Where nothing says which threshold is best: that of CAM (Zhou et al., CVPR 2016).
CAM_THRESHOLD = 0.2


@dataclass(frozen=True, repr=False)
class Localization:
    """What a model finds in one image.

    Attributes:
        box: (4,) float64 half-open ``x0, y0, x1, y1`` in pixels of the image, the largest contour's of
            the map cut at ``threshold``; None where the map is constant.
        mask: (height, width) bool, all of the map above ``threshold``.
        score_map: (h, w) float32 as the model made it.
        class_name: of the class whose map this is, the predicted one.
        probability: of that class, by the softmax of the logits, in [0, 1].
        threshold: at which the map was cut, in [0, 1).
    """

    box: np.ndarray | None
    mask: np.ndarray
    score_map: np.ndarray
    class_name: str
    probability: float
    threshold: float

    def __repr__(self) -> str:
        height, width = self.mask.shape
        box = None if self.box is None else [round(float(corner), 1) for corner in self.box]
        said = f"{self.class_name!r} {self.probability:.2f}, box={box}, threshold={self.threshold:g}"
        return f"<Localization {said}, image of {width} x {height}>"


def found_in(
    prediction: Prediction, size: tuple[int, int], threshold: float, class_names: Sequence[str]
) -> Localization:
    """What a prediction says of an image of ``size`` (height, width), its map cut at ``threshold``."""
    check_threshold(threshold)
    protocol = protocol_named("halfopen")
    score_map = np.zeros(size) if prediction.score_map is None else prediction.score_map
    frame = protocol.frame(size)
    map_u8 = quantise(score_map, frame, protocol.interpolation)
    box = to_image(box_at(map_u8, cut_of(threshold, int(map_u8.max())))[None], frame, size)[0]
    label = prediction.top5[0] if prediction.top5 else -1
    return Localization(
        box=box if box[2] > box[0] else None,
        mask=mask_at(score_map, size, threshold, protocol.interpolation),
        score_map=score_map,
        class_name=class_names[label] if 0 <= label < len(class_names) else "",
        probability=prediction.probabilities[0] if prediction.probabilities else float("nan"),
        threshold=threshold,
    )
