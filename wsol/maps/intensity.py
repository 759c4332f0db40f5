"""How bright each pixel is: what a data set gives away without any network."""

from __future__ import annotations

import cv2
import numpy as np

from wsol.errors import UserError
from wsol.files.pictures.images import open_image
from wsol.maps.contract import ImageMaps

# Of the image's shorter side: half a cell of an 8 x 8 map, so that no finer detail is left than in maps.
BLUR_SIGMA = 1 / 16


class ImageIntensity(ImageMaps):
    """The image's own brightness, no model."""

    title = "image intensity"
    baseline = True

    def read(self, path: str, size: int) -> np.ndarray:
        """The mean of R, G and B of each pixel, (height, width) float32 in [0, 255].

        In the image's own size: the protocol resizes it as any map. Bright pixels rank first, also where
        the objects are dark: a baseline that may choose a sign has seen the boxes.
        """
        try:
            image = open_image(path, exif=self.exif)
        except FileNotFoundError:
            raise UserError(f"{path}: missing; run `wsol prepare` again") from None
        return np.asarray(image).mean(axis=2, dtype=np.float32)


class BlurredIntensity(ImageIntensity):
    """The image's brightness as coarse as a network's map, no model."""

    title = "blurred intensity"

    def read(self, path: str, size: int) -> np.ndarray:
        """The intensity after a Gaussian of `BLUR_SIGMA`, (height, width) float32 in [0, 255]."""
        return blurred(super().read(path, size))


class BrightComponent(ImageIntensity):
    """The largest bright thing of the image, no model."""

    title = "largest bright component"

    def read(self, path: str, size: int) -> np.ndarray:
        """The intensity inside the largest 8-connected component above Otsu's threshold, 0 elsewhere.

        (height, width) float32 in [0, 255].
        """
        intensity = super().read(path, size)
        grey = np.rint(intensity).astype(np.uint8)
        _, bright = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        _, labels, statistics, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
        areas = statistics[1:, cv2.CC_STAT_AREA]  # the first is the background
        if not len(areas):
            return np.zeros_like(intensity)
        return np.where(labels == 1 + areas.argmax(), intensity, np.float32(0))


def blurred(score_map: np.ndarray) -> np.ndarray:
    """A map (height, width) after a Gaussian of `BLUR_SIGMA`, float32."""
    sigma = BLUR_SIGMA * min(score_map.shape)
    return cv2.GaussianBlur(score_map.astype(np.float32), (0, 0), sigma)
