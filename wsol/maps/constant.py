"""All of the image and nothing of it: what a mask's P and J are worth without looking."""

from __future__ import annotations

import numpy as np

from wsol.maps.contract import ImageMaps


class AllBackground(ImageMaps):
    """Nothing of the image, baseline of masks scored class by class."""

    title = "all background"
    baseline = True

    def read(self, path: str, size: int) -> np.ndarray:
        """A mask (1, 1) that is False: it is resized to any image."""
        return np.zeros((1, 1), bool)


class AllForeground(ImageMaps):
    """All of the image, baseline of masks scored class by class."""

    title = "all foreground"
    baseline = True

    def read(self, path: str, size: int) -> np.ndarray:
        """A mask (1, 1) that is True: it is resized to any image."""
        return np.ones((1, 1), bool)
