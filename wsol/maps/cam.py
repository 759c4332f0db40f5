"""The class map of the true class (Zhou et al., CVPR 2016)."""

from __future__ import annotations

import torch
from torch import Tensor

from wsol.errors import UserError
from wsol.maps.contract import Columns, ModelMaps
from wsol.models.localizer import LocalizerOutput


class ClassMap(ModelMaps):
    """Class map of the true class."""

    of_class = "true"

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Each image's map of its class, (N, h, w); of several logits that stand for it, the mean."""
        if output.class_maps is None:
            raise UserError("this head has no class maps: choose --maps attention or features")
        maps = zip(output.class_maps, columns, strict=True)
        return torch.stack([of_image[list(own)].mean(dim=0) for of_image, own in maps])
