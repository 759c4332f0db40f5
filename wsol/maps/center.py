"""The baseline every localizer has to beat: the best centred box."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from wsol.records import Prediction


def center_map(size: int) -> np.ndarray:
    """A (size, size) float32 pyramid: every threshold cuts out one centred square of the frame.

    With the oracle threshold its MaxBoxAcc is that of the best centred box with the image's own
    aspect ratio (the frame is the squashed image), chosen once for the data set.
    """
    distance = np.abs(np.arange(size) - (size - 1) / 2)
    return (1 - np.maximum(distance[:, None], distance[None, :]) / (size / 2)).astype(np.float32)


def center_predictions(
    image_ids: Iterable[str], labels: Iterable[int], size: int
) -> Iterator[Prediction]:
    """One prediction an image, all with the same map; no class scores."""
    score_map = center_map(size)
    for image_id, label in zip(image_ids, labels, strict=True):
        yield Prediction(image_id=image_id, label=int(label), score_map=score_map)
