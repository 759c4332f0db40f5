"""InceptionV3 as the reference evaluator trains it: padded, cut after Mixed_6e, 14x14 maps at 224."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from wsol.recipe.parts import IMAGENET_MEAN, IMAGENET_STD


class UnstridedMixed6a(nn.Module):
    """Mixed_6a with its branches at stride 1 and padded; the stride is a pooling of its own before.

    The branches keep their names, so that weights of the published network load.
    """

    def __init__(self, block: Any) -> None:
        super().__init__()
        for name, branch in block.named_children():
            self.add_module(name, branch)
        for name in ("branch3x3", "branch3x3dbl_3"):
            convolution = block.get_submodule(name).conv
            convolution.stride, convolution.padding = (1, 1), (1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, 288, h, w) -> (N, 768, h, w)."""
        branch, double = self.get_submodule("branch3x3")(x), x
        for name in ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"):
            double = self.get_submodule(name)(double)
        pooled = functional.max_pool2d(x, kernel_size=3, stride=1, padding=1)
        return torch.cat([branch, double, pooled], dim=1)


class ImageNetToInception(nn.Module):
    """Images normalised with ImageNet's mean and std as if with 0.5 and 0.5, (N, 3, h, w) -> the same.

    torchvision's GoogLeNet and InceptionV3 hold weights that were trained so, and begin with this step.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Each colour scaled and shifted."""
        colours = [
            x[:, number : number + 1] * (std / 0.5) + (mean - 0.5) / 0.5
            for number, (mean, std) in enumerate(zip(IMAGENET_MEAN, IMAGENET_STD, strict=True))
        ]
        return torch.cat(colours, dim=1)


def as_wsolevaluation(network: Any) -> nn.Module:
    """timm's InceptionV3 with the paddings of wsolevaluation (a reading of its layer shapes).

    Published networks pad nothing before Mixed_5b and give 12x12 maps at 224; the reference pads the
    first convolution and the poolings, which brings 14x14, and pools before Mixed_6a instead of in it.
    """
    network.Conv2d_1a_3x3.conv.padding = (1, 1)
    reference = nn.Module()
    for name, child in network.named_children():
        if name in ("Pool1", "Pool2"):
            child = nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True)
        if name == "Mixed_6a":
            reference.add_module("Pool3", nn.MaxPool2d(3, stride=2, ceil_mode=True))
            child = UnstridedMixed6a(child)
        reference.add_module(name, child)
        if name == "Mixed_6e":
            break
    return reference
