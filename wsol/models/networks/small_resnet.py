"""The demo's backbone: a small residual network for 64x64 images, ending at 8x8 maps."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from wsol.models.networks.block_plan import BlockPlan, Unit


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with norms, and a shortcut: (N, in, h, w) -> (N, out, h / stride, ...).

    `feedback_plan` tells gates and feedback where to go in.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.act1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.act2 = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Branch plus shortcut, then ReLU."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.act1(self.bn1(self.conv1(x)))
        return self.act2(self.bn2(self.conv2(x)) + shortcut)

    def feedback_plan(self) -> BlockPlan:
        """What is inside, by name."""
        return BlockPlan(
            units=(Unit("conv1", "bn1", ("act1",)), Unit("conv2", "bn2")),
            shortcut=() if self.downsample is None else ("downsample",),
            after_sum=("act2",),
            m=2,
        )


class SmallResNet(nn.Module):
    """A stem at full resolution and residual layers, each but the first behind a 2x2 average pooling.

    A pooling halves the sides instead of a strided 3x3 convolution, which is centred half a pixel above
    and left of its output: after three strides the map is shifted by 3.5 image pixels. That does not
    matter on large photographs, but on digits of 30 pixels it makes boxes wrong.

    Args:
        widths: channels of the layers; the stem has those of the first.
        blocks: residual blocks a layer.
    """

    def __init__(self, widths: Sequence[int] = (16, 32, 64, 96), blocks: int = 1) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, widths[0], 3, padding=1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        self.layers = nn.Sequential()
        channels = widths[0]
        for number, width in enumerate(widths):
            pooling = [] if number == 0 else [nn.AvgPool2d(2)]
            first = ResidualBlock(channels, width)
            self.layers.append(nn.Sequential(*pooling, first, *_plain_blocks(width, blocks - 1)))
            channels = width
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward_features(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) -> features (N, widths[-1], H / 8, W / 8) for four layers."""
        return self.layers(self.stem(x))

    forward = forward_features


def _plain_blocks(width: int, number: int) -> list[ResidualBlock]:
    return [ResidualBlock(width, width) for _ in range(number)]
