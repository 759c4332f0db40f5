"""The class map of the true class (Zhou et al., CVPR 2016)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from wsol.attention.warps import pulled_back
from wsol.errors import UserError
from wsol.maps.contract import Columns, ModelMaps
from wsol.models.localizer import Localizer, LocalizerOutput


class ClassMap(ModelMaps):
    """Class map of the true class."""

    of_class = "true"

    def ready(self, localizer: Localizer) -> AbstractContextManager[None]:
        """Ask whether the head has a map of its own for a class."""
        self._map_of = getattr(localizer.head, "map_of", None)
        return nullcontext()

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Each image's map of its class, (N, h, w); of several logits that stand for it, the mean."""
        if output.class_maps is None:
            raise UserError("this head has no class maps: choose --maps attention or features")
        if self._map_of is not None:
            return pulled_back(self._map_of(output.features, columns), output.window)
        maps = zip(output.class_maps, columns, strict=True)
        return torch.stack([of_image[list(own)].mean(dim=0) for of_image, own in maps])
