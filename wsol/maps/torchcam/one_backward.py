"""Methods of torchcam that take one forward and one backward pass over a batch of images.

torchcam 0.5.0 leaves GradCAM++'s alpha without its denominator (it divides a copy), so that a channel
weighs by the sum of its positive gradients' cubes: GradCAMpp here, and in RefineCAM, is that.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from wsol.errors import UserError, suggest
from wsol.maps.torchcam.extractor import Extracted
from wsol.models.localizer import Localizer

# Selvaraju et al., ICCV 2017; Chattopadhay et al., WACV 2018; Jiang et al., TIP 2021; Fu et al.,
# BMVC 2020.
METHODS = ("GradCAM", "GradCAMpp", "LayerCAM", "XGradCAM")
# The other methods of torchcam are entries of their own in the registry of map sources.
OTHERS = ("CAM", "RefineCAM", "ScoreCAM", "SmoothGradCAMpp")


class TorchCam(Extracted):
    """A method of torchcam, raw after a ReLU: torchcam:GradCAM, GradCAMpp, LayerCAM, XGradCAM."""

    gradients = True
    takes_argument = True

    def __init__(self, name: str, argument: str = "") -> None:
        super().__init__(name, argument)
        if argument not in METHODS:
            near = suggest(argument, [*METHODS, *OTHERS])
            raise UserError(f"unknown torchcam method {argument!r}{near}")
        # Gradients of a mean over the cells; GradCAM++ as torchcam has it sums their cubes.
        self.per_cells = 2 if argument == "GradCAMpp" else 1

    def extractor(self, methods: Any, localizer: Localizer, features: nn.Module) -> Any:
        """Of the method, on the last features."""
        return getattr(methods, self.argument)(localizer, features)
