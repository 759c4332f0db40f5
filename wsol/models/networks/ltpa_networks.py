"""The networks of "Learn to Pay Attention" for small images: its VGG and its ResNet-164.

Both return named features instead of logits: ``stage_channels`` says which and how wide, and
``forward(images) -> {stage: (N, C, h, w)}``. ``"global"`` is g, the network's own vector of the whole
image, (N, C, 1, 1); the others are there for LTPA to tap. Jetley et al., ICLR 2018, arXiv 1804.02391.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from wsol.attention.contract import GLOBAL
from wsol.errors import UserError

# Author code, VGG: batch norms of Torch's example network, not the default 1e-5.
VGG_EPS = 1e-3


class NamedStages(nn.Module):
    """Stages one after another; the output of each is returned.

    Attributes:
        stages: stage name to module, ``"global"`` last; what a stage gives, the next one takes.
        stage_channels: stage name to channels.
        input_size: side of the images it is made for, in pixels.
    """

    def __init__(
        self, stages: dict[str, nn.Sequential], widths: tuple[int, ...], input_size: int
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleDict(stages)
        self.stage_channels = dict(zip(stages, widths, strict=True))
        self.input_size = input_size
        _initialise(self)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Images (N, 3, s, s) -> {stage: (N, C, h, w)}; ``UserError`` for another size."""
        size = tuple(images.shape[2:])
        if size != (self.input_size, self.input_size):
            raise UserError(
                f"{type(self).__name__} was built for images of side {self.input_size}, not {size}: set "
                "backbone.options.input_size to data.input_size"
            )
        features: dict[str, Tensor] = {}
        for name, stage in self.stages.items():
            images = stage(images)
            features[name] = images
        return features


class VGGAtt(NamedStages):
    """VGG with its pooling moved up, so that the taps keep their resolution.

    ``L1`` (N, 256, s, s), ``L2`` (N, 512, 16, 16), ``L3`` (N, 512, 8, 8), ``global`` (N, 512, 1, 1), for
    images of side s. Taps lie before their pooling; g is a linear layer without ReLU after it.

    Args:
        input_size: s, a multiple of 16 from 32 on (the paper's: 32, and 80 for CUB); the first pooling
            brings it to 16.
    """

    def __init__(self, input_size: int = 32) -> None:
        if input_size < 32 or input_size % 16:
            raise UserError(
                f"VGGAtt: input_size {input_size} is no multiple of 16 from 32 on; 32, 80 ..."
            )
        to_l1 = nn.Sequential(
            *_conv_bn_relu(3, 64, dropout=0.3),
            *_conv_bn_relu(64, 64),
            *_conv_bn_relu(64, 128, dropout=0.4),
            *_conv_bn_relu(128, 128),
            *_conv_bn_relu(128, 256, dropout=0.4),
            *_conv_bn_relu(256, 256, dropout=0.4),
            *_conv_bn_relu(256, 256),
        )
        # Author code, 80x80: this pooling is 5x5 too; with three taps it pools by 2.5 before L1 and
        # doubles the size again, which an L1 of full size has no need of.
        to_l2 = nn.Sequential(nn.MaxPool2d(input_size // 16), *_three_convolutions(256))
        to_l3 = nn.Sequential(nn.MaxPool2d(2), *_three_convolutions(512))
        to_global = nn.Sequential(
            nn.MaxPool2d(2),
            *_conv_bn_relu(512, 512, dropout=0.4),
            nn.MaxPool2d(2),
            *_conv_bn_relu(512, 512, dropout=0.4),
            nn.MaxPool2d(2),
            *_vector(512),
        )
        stages = {"L1": to_l1, "L2": to_l2, "L3": to_l3, GLOBAL: to_global}
        super().__init__(stages, (256, 512, 512, 512), input_size)


class ResNet164Att(NamedStages):
    """Pre-activation ResNet-164 with the taps of the paper's RN-att2.

    ``L1`` (N, 64, s, s), ``L2`` (N, 128, s/2, s/2), ``L3`` (N, 256, s/4, s/4), ``global`` (N, 256, 1, 1)
    for images of side s. RN-att2 taps L2 and L3: the ends of stages 2 and 3, before any batch norm.

    Args:
        input_size: s, a multiple of 8; 32 is the paper's.
        depth: 9 n + 2, with n bottlenecks a stage.
    """

    def __init__(self, input_size: int = 32, depth: int = 164) -> None:
        if depth < 11 or (depth - 2) % 9:
            raise UserError(f"ResNet164Att: depth must be 9 n + 2, such as 164, not {depth}")
        if input_size < 8 or input_size % 8:
            raise UserError(f"ResNet164Att: input_size {input_size} is no multiple of 8; take 32 or 80")
        blocks = (depth - 2) // 9
        stem = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        # Author code: g is no average of stage 3 but has a convolution and a linear layer of its own.
        to_global = nn.Sequential(
            nn.BatchNorm2d(256),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            *_conv_bn_relu(256, 256, dropout=0.4),
            # Author code: a 4x4 maximum, which is all there is of 32x32 images.
            nn.AdaptiveMaxPool2d(1),
            *_vector(256),
        )
        stages = {
            "L1": nn.Sequential(stem, *_pre_activation(16, 64, blocks, stride=1)),
            "L2": nn.Sequential(*_pre_activation(64, 128, blocks, stride=2)),
            "L3": nn.Sequential(*_pre_activation(128, 256, blocks, stride=2)),
            GLOBAL: to_global,
        }
        super().__init__(stages, (64, 128, 256, 256), input_size)


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


def _pre_activation(in_channels: int, out_channels: int, blocks: int, stride: int) -> list[nn.Module]:
    first = PreActivationBottleneck(in_channels, out_channels, stride)
    return [first, *(PreActivationBottleneck(out_channels, out_channels, 1) for _ in range(blocks - 1))]


def _vector(width: int) -> list[nn.Module]:
    """(N, width, 1, 1) through dropout and a linear layer."""
    linear = nn.Linear(width, width)
    return [nn.Flatten(), nn.Dropout(0.5), linear, nn.Unflatten(1, (width, 1, 1))]


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
