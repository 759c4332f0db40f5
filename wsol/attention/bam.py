"""BAM, the bottleneck attention module (Park et al., BMVC 2018, arXiv 1807.06514)."""

from __future__ import annotations

from torch import Tensor, nn

from wsol.attention.contract import Attended
from wsol.attention.decisions import decide


class BAM(nn.Module):
    """BAM (Park et al., BMVC 2018, arXiv 1807.06514): channel and dilated spatial gates, residual.

    ``M = sigmoid(channel part * spatial part)``; the output is ``x * (1 + M)``. The map shown is M.

    Args:
        channels: C of the features (N, C, h, w).
        reduction: both parts work at ``max(1, C // reduction)`` channels.
        dilation: of the two 3x3 convolutions, which widens what a position sees.
    """

    insertion = "stage"
    # Paper: at each bottleneck, before the network pools, so between its stages and not after the last.
    at = ("stage2", "stage3", "stage4")

    def __init__(self, channels: int, reduction: int = 16, dilation: int = 4) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        # Paper: sum of both parts before the sigmoid; released code: their product, with biases before
        # every norm. The released weights follow the code, and so does this.
        self.channel_fc1 = nn.Linear(channels, hidden)
        self.channel_bn1 = nn.BatchNorm1d(hidden)
        self.channel_fc2 = nn.Linear(hidden, channels)
        self.spatial_reduce_conv = nn.Conv2d(channels, hidden, 1)
        self.spatial_reduce_bn = nn.BatchNorm2d(hidden)
        self.spatial_dilated_conv1 = nn.Conv2d(hidden, hidden, 3, padding=dilation, dilation=dilation)
        self.spatial_dilated_bn1 = nn.BatchNorm2d(hidden)
        self.spatial_dilated_conv2 = nn.Conv2d(hidden, hidden, 3, padding=dilation, dilation=dilation)
        self.spatial_dilated_bn2 = nn.BatchNorm2d(hidden)
        self.spatial_out_conv = nn.Conv2d(hidden, 1, 1)

    def forward(self, x: Tensor) -> Attended:
        """Features (N, C, h, w) and M (N, C, h, w) in (0, 1)."""
        gate = decide(self, (self.channel_part(x) * self.spatial_part(x)).sigmoid(), x)
        return Attended(x * (1 + gate), gate)

    def channel_part(self, x: Tensor) -> Tensor:
        """(N, C, 1, 1), unbounded."""
        hidden = self.channel_bn1(self.channel_fc1(x.mean(dim=(2, 3)))).relu()
        return self.channel_fc2(hidden)[:, :, None, None]

    def spatial_part(self, x: Tensor) -> Tensor:
        """(N, 1, h, w), unbounded."""
        y = self.spatial_reduce_bn(self.spatial_reduce_conv(x)).relu()
        y = self.spatial_dilated_bn1(self.spatial_dilated_conv1(y)).relu()
        y = self.spatial_dilated_bn2(self.spatial_dilated_conv2(y)).relu()
        return self.spatial_out_conv(y)
