"""SmoothGrad: the gradient averaged over noisy copies (Smilkov et al., arXiv 1706.03825)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from wsol.maps.arguments import whole_number
from wsol.maps.attribution.attributed import Attributed, magnitude
from wsol.maps.noise import generator_of_image

# The defaults of the authors' code (PAIR-code/saliency): noise of 15 % of the image's range, 25 copies.
# The paper recommends 10 to 20 %, and sees little gain beyond 50 copies.
NOISE = 0.15
COPIES = 25


class SmoothGrad(Attributed):
    """Saliency of the mean gradient over 25 noisy copies, seeded by the image; smoothgrad:50 (captum).

    The gradients are averaged with their signs, the paper's formula, and made a map as saliency's are;
    the authors' code averages squares by default. The image's range is that of its normalised pixels,
    least to largest over all colours.

    captum's NoiseTunnel draws the noise of a whole batch together, so that it would depend on the other
    images; here it is drawn by the image's id, the same in each batch.
    """

    per_cells = 1
    takes_argument = True

    def __init__(self, name: str, argument: str = "") -> None:
        super().__init__(name, argument)
        self._copies = whole_number(name, argument, "number of copies", "smoothgrad:25", COPIES)

    def maps(self, captum: Any, images: Tensor, shares: Tensor) -> Tensor:
        """As many forward and backward passes a batch as there are copies."""
        gradient = captum.Saliency(self.score)
        generators = [generator_of_image(image_id) for image_id in self._ids]
        plain = images.detach()
        sigma = NOISE * (plain.amax(dim=(1, 2, 3)) - plain.amin(dim=(1, 2, 3)))
        total = torch.zeros_like(plain)
        for _ in range(self._copies):
            noise = torch.stack(
                [torch.randn(plain.shape[1:], generator=generator) for generator in generators]
            )
            noisy = (plain + sigma[:, None, None, None] * noise.to(plain)).requires_grad_()
            total += gradient.attribute(noisy, abs=False, additional_forward_args=shares).detach()
        return magnitude(total / self._copies)
