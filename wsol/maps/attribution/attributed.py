"""What the sources of captum have in common: the score of a class, asked of changed images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from wsol.errors import UserError
from wsol.maps.contract import Columns, ModelMaps
from wsol.models.localizer import Localizer, LocalizerOutput


class Attributed(ModelMaps):
    """Maps (N, H, W) in pixels, of how the score of a class depends on them.

    The score is the class's logit, before any softmax; the mean of the logits where several stand for a
    class, as the class map is their mean. No more images than the batch has are in one pass.

    Attributes:
        backward: whether gradients are asked for.
    """

    of_class = "true"
    own_pass = True
    backward: bool = True

    def resolved(self, localizer: Localizer) -> ModelMaps:
        """Itself; ``UserError`` where captum is not installed, before anything is computed."""
        # Imported here: it is an extra, and costs a second.
        try:
            from captum import attr
        except ImportError:
            raise UserError(f"--maps {self.name} needs captum: pip install wsol[captum]") from None
        self._captum, self._localizer = attr, localizer
        return self

    def see(self, images: Tensor, image_ids: Sequence[str]) -> None:
        """Keep the images that the next output is of."""
        self._images, self._ids = images, image_ids

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Maps (N, H, W) of each image's class."""
        # A pass that needs no gradients runs in inference mode, whose tensors can never have any.
        with torch.inference_mode(False), torch.set_grad_enabled(self.backward):
            images = self._images.detach().clone().requires_grad_(self.backward)
            shares = torch.zeros(output.logits.shape).to(images)
            for share, own in zip(shares, columns, strict=True):
                share[list(own)] = 1 / len(own)
            return self.maps(self._captum, images, shares).detach()

    def score(self, images: Tensor, shares: Tensor) -> Tensor:
        """The score (n,) of each image's class, whose logits ``shares`` (n, K) weighs."""
        return (self._localizer(images).logits * shares).sum(dim=1)

    def maps(self, captum: Any, images: Tensor, shares: Tensor) -> Tensor:
        """Maps (N, H, W) of images (N, 3, H, W); ``captum`` is ``captum.attr``."""
        raise TypeError(f"{type(self).__name__} attributes nothing")


def magnitude(gradients: Tensor) -> Tensor:
    """Gradients (N, 3, H, W) as maps (N, H, W): the largest absolute value over the colours."""
    return gradients.abs().amax(dim=1)
