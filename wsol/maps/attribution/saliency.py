"""The gradient of a class's score (Simonyan, Vedaldi, Zisserman, ICLR workshop 2014)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from wsol.maps.attribution.attributed import Attributed, magnitude


class Saliency(Attributed):
    """The class's gradient in each pixel, its largest absolute value over the colours (captum)."""

    per_cells = 1

    def maps(self, captum: Any, images: Tensor, shares: Tensor) -> Tensor:
        """One forward and one backward pass a batch."""
        gradients = captum.Saliency(self.score).attribute(
            images, abs=False, additional_forward_args=shares
        )
        return magnitude(gradients)
