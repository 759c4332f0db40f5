"""Methods of torchcam that run the network again, on masked or on noisy images.

They go image by image, so that a map does not depend on what else is in the batch; copies that only fill
a batch up are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from wsol.attention.warps import pulled_back
from wsol.maps.contract import Columns
from wsol.maps.noise import drawn_by
from wsol.maps.torchcam.extractor import Extracted
from wsol.models.localizer import Localizer, LocalizerOutput

MASKED = 32  # images a forward pass of ScoreCAM, torchcam's own number
NOISY = 4  # copies of SmoothGradCAM++, torchcam's own number
STD = 0.3  # of their noise, in the units of normalised pixels; torchcam's own number


class LogitsOnly(nn.Module):
    """A localizer as torchcam calls a network: images (N, 3, H, W) to logits (N, K)."""

    def __init__(self, localizer: Localizer) -> None:
        super().__init__()
        self.localizer = localizer

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, K)."""
        return self.localizer(images).logits


class ImageByImage(Extracted):
    """Maps of a method that asks for the logits of more images than it was given."""

    def extractor(self, methods: Any, localizer: Localizer, features: nn.Module) -> Any:
        """Of the method, on the last features."""
        # Not the localizer itself: it gives more than logits. One pass more an image is the price.
        self._network = LogitsOnly(localizer)
        return self.of_network(methods, self._network, features)

    def of_network(self, methods: Any, network: nn.Module, layer: nn.Module) -> Any:
        """The method's extractor."""
        raise TypeError(f"{type(self).__name__} has no extractor")

    def see(self, images: Tensor, image_ids: Sequence[str]) -> None:
        """Keep the images that the next output is of."""
        self._images, self._ids = images, image_ids

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Maps (N, h, w) of each image's class."""
        wanted = list(zip(self._ids, self.one_class_each(columns), strict=True))
        found: dict[tuple[str, int], Tensor] = {}
        for image, (image_id, column) in zip(self._images, wanted, strict=True):
            if (image_id, column) not in found:
                with drawn_by(image_id):
                    self._network(image[None])
                    found[image_id, column] = self._extractor(column, normalized=False)[0]
        return pulled_back(torch.cat([found[one] for one in wanted]), output.window)


class ScoreCam(ImageByImage):
    """Score-CAM (Wang et al., CVPRW 2020) by torchcam, raw after a ReLU: a pass a channel, 32 at once.

    An image costs as many forward passes as the last features have channels, 512 on SqueezeNet. torchcam
    min-maxes each channel into a mask over the normalised image, so that what is masked has the mean
    colour; channels weigh by the softmax of how their masked images' logits differ from the image's own.
    """

    def of_network(self, methods: Any, network: nn.Module, layer: nn.Module) -> Any:
        """The method's extractor."""
        return methods.ScoreCAM(network, layer, batch_size=MASKED)


class SmoothGradCampp(ImageByImage):
    """Smooth Grad-CAM++ (Omeiza et al., 2019) by torchcam, raw after a ReLU: 4 noisy copies, seeded.

    The noise is drawn by the image's id, of standard deviation 0.3 in the units of normalised pixels.
    torchcam averages squares and cubes of gradients over the copies, but takes the features and the
    gradients that it multiplies them with from the last noisy copy alone.
    """

    gradients = True

    def of_network(self, methods: Any, network: nn.Module, layer: nn.Module) -> Any:
        """The method's extractor."""
        return methods.SmoothGradCAMpp(network, layer, num_samples=NOISY, std=STD)
