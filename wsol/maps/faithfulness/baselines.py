"""What pixels become when they are deleted, and what they are before they are inserted."""

from __future__ import annotations

import torch
from torch import Tensor

# RISE's own, of images of 224 pixels [code: eclique/RISE, Evaluation.ipynb: klen = 11, ksig = 5]: the
# width of the Gaussian in pixels of the network's input, cut off after five to either side.
BLUR_WIDTH, BLUR_SIGMA = 11, 5.0


def mean_colour(images: Tensor) -> Tensor:
    """The mean colour of the training images everywhere: zero after normalisation, (N, 3, H, W)."""
    return torch.zeros_like(images)


def blurred(images: Tensor) -> Tensor:
    """Images (N, 3, H, W) under a Gaussian of sigma 5 pixels, 11 wide.

    The kernel adds up to one, and images are mirrored at their edges (torchvision's). RISE's code folds
    what the kernel loses at its ends back into it, and takes zeros beyond the edges.
    """
    from torchvision.transforms.functional import gaussian_blur  # it takes seconds

    return gaussian_blur(images, [BLUR_WIDTH, BLUR_WIDTH], [BLUR_SIGMA, BLUR_SIGMA])
