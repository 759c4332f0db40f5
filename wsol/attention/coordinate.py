"""Coordinate attention as its authors released it (Hou, Zhou, Feng, CVPR 2021, arXiv 2103.02907)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wsol.attention.contract import EVERY_STAGE, Attended
from wsol.attention.decisions import decide


class CoordinateAttention(nn.Module):
    """Coordinate attention (Hou et al., CVPR 2021, arXiv 2103.02907), as released; `coord` is timm's.

    Means over width and over height share one 1x1 convolution, then each becomes a gate along its own
    axis; the output is ``x * gate_h * gate_w``. The maps shown are the channel means of the product
    (``gate``) and of either gate, spread over the other axis.

    Args:
        channels: C of the features (N, C, h, w).
        reduction: the shared convolution has ``max(8, C // reduction)`` channels.
    """

    insertion = "block"
    at = EVERY_STAGE
    # Released for MobileNetV2 alone: on the expanded features, before the projection. In other blocks it
    # gates the branch's output, as the modules do that were released for ResNets.
    gates = "expansion"
    default_map = "gate"

    def __init__(self, channels: int, reduction: int = 32) -> None:
        super().__init__()
        hidden = max(8, channels // reduction)
        self.shared_conv = nn.Conv2d(channels, hidden, 1)
        self.shared_bn = nn.BatchNorm2d(hidden)
        self.act = nn.Hardswish()
        self.height_conv = nn.Conv2d(hidden, channels, 1)
        self.width_conv = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Attended:
        """Features (N, C, h, w) and maps (N, h, w) in (0, 1)."""
        height, width = x.shape[2:]
        strips = torch.cat([x.mean(dim=3, keepdim=True), x.mean(dim=2, keepdim=True).mT], dim=2)
        shared = self.act(self.shared_bn(self.shared_conv(strips)))
        along_height, along_width = shared.split([height, width], dim=2)
        gate_h = decide(self, self.height_conv(along_height).sigmoid(), x)
        gate_w = decide(self, self.width_conv(along_width.mT).sigmoid(), x)
        return Attended(x * gate_h * gate_w, axis_maps(gate_h, gate_w))


def axis_maps(gate_h: Tensor, gate_w: Tensor) -> dict[str, Tensor]:
    """Gates (N, C, h, 1) and (N, C, 1, w) as maps (N, h, w): their product's channel mean, and each."""
    # The mean of a product of two vectors a channel is one matrix product: no (N, C, h, w) is made.
    product = gate_h.squeeze(3).mT @ gate_w.squeeze(2) / gate_h.shape[1]
    return {
        "gate": product,
        "height": gate_h.mean(dim=1).expand_as(product),
        "width": gate_w.mean(dim=1).expand_as(product),
    }
