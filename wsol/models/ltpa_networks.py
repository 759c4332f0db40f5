"""The networks of "Learn to Pay Attention" for small images: its VGG and its ResNet-164.

Both hand out named features instead of logits: ``stage_channels`` says which and how wide, and
``forward(images) -> {stage: (N, C, h, w)}``. ``"global"`` is g, the network's own vector of the whole
image, (N, C, 1, 1); the rest is for LTPA to tap. Jetley et al., ICLR 2018, arXiv 1804.02391.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from wsol.attention.contract import GLOBAL
from wsol.errors import UserError

# Author code, VGG: batch norms of Torch's example network, not the default 1e-5.
VGG_EPS = 1e-3


class VGGAtt(nn.Module):
    """VGG with its pooling moved up, so that the taps keep their resolution; 32x32 or 80x80 images.

    ``L1`` (N, 256, s, s), ``L2`` (N, 512, 16, 16), ``L3`` (N, 512, 8, 8), ``global`` (N, 512, 1, 1), for
    images of side s. Taps lie before their pooling; g is the last linear layer without ReLU.

    Args:
        input_size: s, a multiple of 16; the first pooling brings it to 16.
    """

    stage_channels: dict[str, int]

    def __init__(self, input_size: int = 32) -> None:
        super().__init__()
        if input_size < 32 or input_size % 16:
            raise UserError(
                f"vgg_att: input_size {input_size} is no multiple of 16 from 32 on; take 32 or 80"
            )
        self.input_size = input_size
        self.stage_channels = {"L1": 256, "L2": 512, "L3": 512, GLOBAL: 512}
        self.to_l1 = nn.Sequential(
            *_conv_bn_relu(3, 64, dropout=0.3),
            *_conv_bn_relu(64, 64),
            *_conv_bn_relu(64, 128, dropout=0.4),
            *_conv_bn_relu(128, 128),
            *_conv_bn_relu(128, 256, dropout=0.4),
            *_conv_bn_relu(256, 256, dropout=0.4),
            *_conv_bn_relu(256, 256),
        )
        # Author code, 80x80: this pooling is 5x5 too; with three taps it pools by 2.5 before L1 and
        # doubles the size again, for which there is no need here.
        first_pool = input_size // 16
        self.to_l2 = nn.Sequential(nn.MaxPool2d(first_pool), *_three_convolutions(256))
        self.to_l3 = nn.Sequential(nn.MaxPool2d(2), *_three_convolutions(512))
        self.to_global = nn.Sequential(
            nn.MaxPool2d(2),
            *_conv_bn_relu(512, 512, dropout=0.4),
            nn.MaxPool2d(2),
            *_conv_bn_relu(512, 512, dropout=0.4),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(512, 512),
            nn.Unflatten(1, (512, 1, 1)),
        )
        _initialise(self)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Images (N, 3, s, s) -> the taps and g."""
        _check_size("vgg_att", images, self.input_size)
        l1 = self.to_l1(images)
        l2 = self.to_l2(l1)
        l3 = self.to_l3(l2)
        return {"L1": l1, "L2": l2, "L3": l3, GLOBAL: self.to_global(l3)}


class ResNet164Att(nn.Module):
    """Pre-activation ResNet-164 for 32x32 images (or any multiple of 16), with the taps of RN-att2.

    ``L1`` (N, 64, s, s), ``L2`` (N, 128, s/2, s/2), ``L3`` (N, 256, s/4, s/4), ``global`` (N, 256, 1, 1).
    RN-att2 taps L2 and L3, the sums at the ends of stages 2 and 3, before any batch norm.

    Args:
        depth: 9 n + 2, with n bottlenecks a stage; 164 is the paper's.
    """

    stage_channels: dict[str, int]

    def __init__(self, depth: int = 164) -> None:
        super().__init__()
        if depth < 11 or (depth - 2) % 9:
            raise UserError(f"resnet164_att: depth must be 9 n + 2, such as 164, not {depth}")
        blocks = (depth - 2) // 9
        self.stage_channels = {"L1": 64, "L2": 128, "L3": 256, GLOBAL: 256}
        self.stem = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.to_l1 = _pre_activation_stage(16, 64, blocks, stride=1)
        self.to_l2 = _pre_activation_stage(64, 128, blocks, stride=2)
        self.to_l3 = _pre_activation_stage(128, 256, blocks, stride=2)
        # Author code: g is no average of stage 3 but has a convolution and a linear layer of its own.
        self.to_global = nn.Sequential(
            nn.BatchNorm2d(256),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            *_conv_bn_relu(256, 256, dropout=0.4),
            # Author code: a 4x4 maximum, which is all of it for 32x32 images.
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(256, 256),
            nn.Unflatten(1, (256, 1, 1)),
        )
        _initialise(self)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Images (N, 3, s, s) -> the taps and g."""
        l1 = self.to_l1(self.stem(images))
        l2 = self.to_l2(l1)
        l3 = self.to_l3(l2)
        return {"L1": l1, "L2": l2, "L3": l3, GLOBAL: self.to_global(l3)}


class PreActivationBottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions, each after batch norm and ReLU (He et al. 2016, arXiv 1603.05027).

    Where the width changes, the shortcut is a 1x1 convolution of the first batch norm and ReLU.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        width = out_channels // 4
        self.first = nn.Sequential(nn.BatchNorm2d(in_channels), nn.ReLU(inplace=True))
        self.branch = nn.Sequential(
            # Author code: the stride is the first convolution's.
            nn.Conv2d(in_channels, width, 1, stride, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, out_channels, 1, bias=False),
        )
        self.shortcut = (
            nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
            if in_channels != out_channels
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, h, w) -> (N, out, h / stride, w / stride)."""
        active = self.first(x)
        return self.branch(active) + (x if self.shortcut is None else self.shortcut(active))


def _pre_activation_stage(
    in_channels: int, out_channels: int, blocks: int, stride: int
) -> nn.Sequential:
    first = PreActivationBottleneck(in_channels, out_channels, stride)
    return nn.Sequential(
        first, *(PreActivationBottleneck(out_channels, out_channels, 1) for _ in range(blocks - 1))
    )


def _three_convolutions(in_channels: int) -> list[nn.Module]:
    return [
        *_conv_bn_relu(in_channels, 512, dropout=0.4),
        *_conv_bn_relu(512, 512, dropout=0.4),
        *_conv_bn_relu(512, 512),
    ]


def _conv_bn_relu(in_channels: int, out_channels: int, dropout: float = 0.0) -> list[nn.Module]:
    layers: list[nn.Module] = [
        nn.Conv2d(in_channels, out_channels, 3, padding=1),
        nn.BatchNorm2d(out_channels, eps=VGG_EPS),
        nn.ReLU(inplace=True),
    ]
    return [*layers, nn.Dropout(dropout)] if dropout else layers


def _initialise(network: nn.Module) -> None:
    """Convolutions N(0, sqrt(2 / (k k n_out))), without bias at the start (author code)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
            nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _check_size(name: str, images: Tensor, side: int) -> None:
    if images.shape[2:] != (side, side):
        raise UserError(
            f"{name}: images of {images.shape[2]}x{images.shape[3]} for a network built for {side}x{side}: "
            f"set backbone.options.input_size and data.input_size alike"
        )
