"""Triplet attention (Misra et al., WACV 2021, arXiv 2010.03045)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wsol.attention.contract import EVERY_STAGE, Attended
from wsol.attention.decisions import decide


class TripletAttention(nn.Module):
    """Triplet attention (Misra et al., WACV 2021, arXiv 2010.03045): a gate for each pair of axes.

    Each gate pools one axis away (maximum and mean), convolves the plane of the two others and
    squashes. The output is the mean of the gated copies, which is ``x * A`` with A the mean of the
    gates; A is the map shown.

    Args:
        channels: C of the features (N, C, h, w); the module has no weight that depends on it.
        spatial_branch: with the (height, width) gate; off in the paper where CBAM's is kept.
        kernel: side of the convolutions, odd.
        bn_momentum: of the gates' batch norms (0.01 in the released code).
    """

    insertion = "block"
    at = EVERY_STAGE

    def __init__(
        self, channels: int, spatial_branch: bool = True, kernel: int = 7, bn_momentum: float = 0.01
    ) -> None:
        super().__init__()
        self.spatial_branch = spatial_branch
        self.channel_width_conv, self.channel_width_bn = _plane(kernel, bn_momentum)
        self.height_channel_conv, self.height_channel_bn = _plane(kernel, bn_momentum)
        if spatial_branch:
            self.spatial_conv, self.spatial_bn = _plane(kernel, bn_momentum)

    def forward(self, x: Tensor) -> Attended:
        """Features (N, C, h, w) and the mean gate A (N, C, h, w) in (0, 1)."""
        # (N, 2, C, w) -> (N, C, 1, w)
        channel_width = self.channel_width_bn(self.channel_width_conv(_pooled(x, 2)))
        gates = channel_width.sigmoid().transpose(1, 2)
        # (N, 2, C, h) seen as (height, channel) -> (N, C, h, 1)
        height_channel = self.height_channel_bn(self.height_channel_conv(_pooled(x, 3).transpose(2, 3)))
        gates = gates + height_channel.sigmoid().permute(0, 3, 2, 1)
        if self.spatial_branch:
            gates = gates + self.spatial_bn(self.spatial_conv(_pooled(x, 1))).sigmoid()
        attention = decide(self, gates / (3 if self.spatial_branch else 2), x)
        return Attended(x * attention, attention)


def _plane(kernel: int, bn_momentum: float) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """The convolution of one gate's plane and its norm."""
    return (
        nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(1, momentum=bn_momentum),
    )


def _pooled(x: Tensor, axis: int) -> Tensor:
    """Maximum and mean over ``axis`` of (N, C, h, w) as two channels: (N, 2, and the other two axes)."""
    return torch.stack([x.amax(dim=axis), x.mean(dim=axis)], dim=1)
