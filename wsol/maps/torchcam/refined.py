"""RefineCAM: the maps of several stages, multiplied (arXiv 2605.14641, through torchcam)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from wsol.errors import UserError
from wsol.maps.contract import Columns
from wsol.maps.torchcam.extractor import Extracted
from wsol.maps.torchcam.read_features import layers_with_maps
from wsol.models.localizer import Localizer, LocalizerOutput

STAGES = 3


class RefineCam(Extracted):
    """RefineCAM by torchcam, which normalises GradCAM++ of each of the last three stages; their product.

    torchcam min-maxes the map of each stage, resizes all bilinearly to the largest and multiplies them;
    GradCAM++ is its default, as it computes it (see `wsol.maps.torchcam.one_backward`). The product is
    taken as it is, without a min-max at the end. The stages are left to the caller: the last three are
    our reading.
    """

    gradients = True

    def extractor(self, methods: Any, localizer: Localizer, features: nn.Module) -> Any:
        """On the last stages; ``UserError`` where the network has fewer than two."""
        layers = layers_with_maps(localizer)[-STAGES:]
        if len(layers) < 2:
            raise UserError(f"{self.name} multiplies maps of several stages; this network has one")
        return methods.RefineCAM(localizer, layers)

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Maps (N, h, w) in [0, 1], as fine as those of the shallowest of the stages."""
        if output.window is not None:
            raise UserError(
                f"{self.name} multiplies maps of stages, and this network looks at a window of the "
                "image: take --maps torchcam:GradCAMpp"
            )
        return super().read(output, columns)
