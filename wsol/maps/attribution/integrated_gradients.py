"""Integrated gradients (Sundararajan, Taly, Yan, ICML 2017, arXiv 1703.01365)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from wsol.maps.arguments import whole_number
from wsol.maps.attribution.attributed import Attributed

STEPS = 50  # captum's own number


class IntegratedGradients(Attributed):
    """Integrated gradients from the mean colour, 50 steps, their absolute sum over the colours (captum).

    ``integrated_gradients:20`` takes 20 steps. The baseline is zero after normalisation; steps are
    Gauss-Legendre's, captum's default. What speaks for the class and what against it both lie where its
    object is, so signs are dropped (our reading); before, the values of an image add up to how far its
    score is from the baseline's.
    """

    per_cells = 1
    takes_argument = True

    def __init__(self, name: str, argument: str = "") -> None:
        super().__init__(name, argument)
        self._steps = whole_number(name, argument, "number of steps", "integrated_gradients:50", STEPS)

    def maps(self, captum: Any, images: Tensor, shares: Tensor) -> Tensor:
        """As many forward and backward passes a batch as there are steps."""
        return self.attributions(captum, images, shares).sum(dim=1).abs()

    def attributions(self, captum: Any, images: Tensor, shares: Tensor) -> Tensor:
        """Of each colour of each pixel, (N, 3, H, W), signed."""
        return captum.IntegratedGradients(self.score).attribute(
            images,
            baselines=0,
            additional_forward_args=shares,
            n_steps=self._steps,
            internal_batch_size=len(images),  # or all steps would lie in memory at once
        )
