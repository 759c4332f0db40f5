"""Noise in place of a map: what a row is worth that looks at nothing."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wsol.maps.arguments import whole_number
from wsol.maps.contract import Columns, ModelMaps
from wsol.maps.noise import generator_of_image
from wsol.models.localizer import LocalizerOutput


class RandomNoise(ModelMaps):
    """Uniform noise as coarse as the class maps, drawn by the image's id; random:224 sets its side.

    It stands in a model's row, with the model's own predictions, so that a map's share in Top-1 Loc can
    be told from the classifier's. Coarse, since noise of single pixels would have other contours than
    any map of features; beside maps of pixels, such as saliency, its side should be the image's.
    """

    title = "random noise"
    baseline = True
    takes_argument = True
    unmodified = "it does not look at the image"

    def __init__(self, name: str, argument: str = "") -> None:
        super().__init__(name, argument)
        self._side = whole_number(name, argument, "side of the noise", "random:224", 0)

    def see(self, images: Tensor, image_ids: Sequence[str]) -> None:
        """Keep the ids that the noise is drawn by."""
        self._ids = image_ids

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Noise (N, h, w) in [0, 1), of the size of the last features."""
        height, width = (self._side, self._side) if self._side else output.features.shape[2:]
        return torch.stack(
            [torch.rand(height, width, generator=generator_of_image(one)) for one in self._ids]
        )
