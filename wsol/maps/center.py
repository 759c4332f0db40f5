"""The baselines every localizer has to beat: maps that know where photographers put things."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from wsol.scores.records import Prediction

# Of the frame's side. Any other gives the same figures: all images have this one map, so only the
# order of its pixels counts.
GAUSSIAN_SIGMA = 0.25


def center_map(size: int) -> np.ndarray:
    """A (size, size) float32 pyramid: every threshold cuts out one centred square of the frame.

    With the oracle threshold its MaxBoxAcc is that of the best centred box with the image's own
    aspect ratio (the frame is the squashed image), chosen once for the data set.
    """
    distance = np.abs(np.arange(size) - (size - 1) / 2)
    return (1 - np.maximum(distance[:, None], distance[None, :]) / (size / 2)).astype(np.float32)


def gaussian_map(size: int) -> np.ndarray:
    """A (size, size) float32 centred Gaussian: every threshold cuts out an ellipse of the image.

    The baseline of Choe et al., CVPR 2020. Its boxes are `center_map`'s, its masks are rounder.
    """
    offset = (np.arange(size) - (size - 1) / 2) / (GAUSSIAN_SIGMA * size)
    profile = np.exp(-0.5 * offset**2)
    return (profile[:, None] * profile[None, :]).astype(np.float32)


def same_map(
    score_map: np.ndarray, image_ids: Iterable[str], labels: Iterable[int]
) -> Iterator[Prediction]:
    """One prediction an image, all with the map ``score_map`` (h, w); no class scores."""
    for image_id, label in zip(image_ids, labels, strict=True):
        yield Prediction(image_id=image_id, label=int(label), score_map=score_map)
