"""Occlusion: what the score loses when a square hides a part (Zeiler, Fergus, ECCV 2014)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from wsol.errors import UserError
from wsol.maps.arguments import whole_number
from wsol.maps.attribution.attributed import Attributed
from wsol.maps.contract import ModelMaps
from wsol.models.localizer import Localizer

SHARE = 1 / 7  # of the image's side that the square takes: 32 of 224 pixels
AT_ONCE = 32  # hidden images a pass, where the batch itself has no more


class Occlusion(Attributed):
    """What a class's logit loses by a square of the mean colour, 1/7 of the side; occlusion:32 (captum).

    The square moves by half its side; a pixel's value is the mean loss over the squares that hide it,
    signed. The paper shows the class's probability, which hardly moves where the network is sure; the
    logit and the size are ours. ``occlusion:32`` is the square's side in pixels of the network's input.
    """

    takes_argument = True
    backward = False

    def __init__(self, name: str, argument: str = "") -> None:
        super().__init__(name, argument)
        self._pixels = whole_number(name, argument, "side of the square", "occlusion:32", 0)

    def resolved(self, localizer: Localizer) -> ModelMaps:
        """Itself; ``UserError`` where the square is larger than the image."""
        if self._pixels > localizer.input_size:
            raise UserError(
                f"map source {self.name!r}: the square is larger than the image of "
                f"{localizer.input_size} pixels"
            )
        self._share = self._pixels / localizer.input_size or SHARE
        return super().resolved(localizer)

    def maps(self, captum: Any, images: Tensor, shares: Tensor) -> Tensor:
        """13 x 13 forward passes a batch of 224 pixels."""
        channels, height, width = images.shape[1:]
        side = max(1, round(self._share * min(height, width)))
        step = max(1, side // 2)
        losses = captum.Occlusion(self.score).attribute(
            images,
            sliding_window_shapes=(channels, side, side),
            strides=(channels, step, step),
            baselines=0,
            additional_forward_args=shares,
            perturbations_per_eval=max(1, AT_ONCE // len(images)),
        )
        return losses.mean(dim=1)  # all colours are hidden together
