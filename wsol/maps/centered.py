"""Maps that are the same for every image: objects stand in the middle of photographs."""

from __future__ import annotations

from functools import cache

import numpy as np

from wsol.maps.contract import ImageMaps

# Of the frame's side. Any other gives the same figures: all images have this one map, so only the
# order of its pixels counts.
GAUSSIAN_SIGMA = 0.25


class CenteredBox(ImageMaps):
    """The centred box that grows as the threshold falls, no model."""

    title = "centred box"
    baseline = True

    def read(self, path: str, size: int) -> np.ndarray:
        """`center_map` of ``size``."""
        return center_map(size)


class CenteredGaussian(ImageMaps):
    """A centred Gaussian, baseline of masks."""

    title = "centred Gaussian"
    baseline = True

    def read(self, path: str, size: int) -> np.ndarray:
        """`gaussian_map` of ``size``."""
        return gaussian_map(size)


@cache
def center_map(size: int) -> np.ndarray:
    """A (size, size) float32 pyramid: every threshold cuts out one centred square of the frame.

    With the oracle threshold its MaxBoxAcc is that of the best centred box with the image's own
    aspect ratio (the frame is the squashed image), chosen once for the data set.
    """
    distance = np.abs(np.arange(size) - (size - 1) / 2)
    return (1 - np.maximum(distance[:, None], distance[None, :]) / (size / 2)).astype(np.float32)


@cache
def gaussian_map(size: int) -> np.ndarray:
    """A (size, size) float32 centred Gaussian: every threshold cuts out an ellipse of the image.

    The baseline of Choe et al., CVPR 2020. Its boxes are `center_map`'s, its masks are rounder.
    """
    offset = (np.arange(size) - (size - 1) / 2) / (GAUSSIAN_SIGMA * size)
    profile = np.exp(-0.5 * offset**2)
    return (profile[:, None] * profile[None, :]).astype(np.float32)
