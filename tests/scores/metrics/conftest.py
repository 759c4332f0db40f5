"""Arrays of images with random boxes, masks and classes, as evaluation leaves them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from wsol.scores.iou_codes import ALL_UNITS, SINGLE_UNITS
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.samples import Annotation


@pytest.fixture
def arrays() -> Callable[..., PerImage]:
    """Makes 40 images; every seventh has no box, every fifth no foreground."""

    def make(protocol: Protocol, boxes: bool = True, n: int = 40) -> PerImage:
        rng = np.random.default_rng(n + boxes)
        one, none = np.ones((1, 4), np.float32), np.zeros((0, 4), np.float32)
        annotations = [
            Annotation(str(row), row % 3, (20, 30), one if boxes and row % 7 else none)
            for row in range(n)
        ]
        per_image = PerImage.empty(annotations, protocol, pixels=True)
        per_image.top[:] = rng.choice([255, 255, 0, 100], n)
        per_image.top5[:] = rng.random(n) < 0.8
        per_image.top1[:] = per_image.top5 & (rng.random(n) < 0.7)
        if per_image.single is not None and per_image.all is not None:
            walk = np.cumsum(rng.integers(-2500, 2501, per_image.single.shape), axis=1) + 25_000
            per_image.single[:] = walk.clip(0, SINGLE_UNITS)
            beside = rng.integers(0, 9, (n, 1))
            per_image.all[:] = (per_image.single // 500 + beside).clip(0, ALL_UNITS)
        for counts in per_image.pixels:
            counts[:, 1:-1] = rng.integers(0, 30, (n, counts.shape[1] - 2))
        per_image.pixels[0][::5] = 0
        return per_image

    return make
