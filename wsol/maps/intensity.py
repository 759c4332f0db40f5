"""How bright each pixel is: what a data set gives away without any network."""

from __future__ import annotations

import numpy as np

from wsol.errors import UserError
from wsol.files.pictures.images import open_image
from wsol.maps.contract import ImageMaps


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
