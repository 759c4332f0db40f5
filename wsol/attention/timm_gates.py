"""timm's gates, one in every residual block; `timm_stages` has its modules that follow a stage.

The layers are timm's, and the forward passes do what timm's do; spatial gates are shown as maps. Options
are those that papers vary, by name.

Left out of timm 1.0.31's list, with the reason:

- ``ge`` raises ``TypeError`` when it is built (it hands ``None`` on as a positional argument);
- ``bottleneck`` and ``halo`` are tied to one feature size (``halo`` to multiples of 8), while stages of
  28, 14 and 7 are what a 224 pixel image gives;
- ``lambda`` has a 3-D convolution, with which a network cannot be moved to channels_last;
- ``ecam``, ``lcbam``, ``scoord`` and ``strip`` are experiments of timm without a paper.
"""

from __future__ import annotations

from typing import Any

import torch
from timm.layers.cbam import CbamModule
from timm.layers.coord_attn import CoordAttn, EfficientLocalAttn
from timm.layers.eca import CecaModule, EcaModule
from timm.layers.global_context import GlobalContext
from timm.layers.squeeze_excite import EffectiveSEModule, SEModule
from torch import Tensor, nn
from torch.nn import functional

from wsol.attention.contract import EVERY_STAGE, Attended
from wsol.attention.coordinate import axis_maps
from wsol.attention.decisions import decide


class SE(SEModule):
    """Squeeze-and-excitation (Hu et al., CVPR 2018, arXiv 1709.01507): one gate a channel, from means.

    Args:
        channels: C of the features (N, C, h, w).
        reduction: hidden channels are C // reduction, rounded to a multiple of 8.
        bias: of both layers. ResNet50 has 28.09M parameters with it, 28.07M (as often printed) without.
    """

    act: nn.Module
    gate: nn.Module
    insertion = "block"
    at = EVERY_STAGE

    def __init__(self, channels: int, reduction: int = 16, bias: bool = True) -> None:
        super().__init__(channels, rd_ratio=1 / reduction, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, C, h, w) -> the same, gated."""
        squeezed = self.fc1(x.mean((2, 3), keepdim=True))
        gate = self.gate(self.fc2(self.act(self.bn(squeezed))))
        return x * decide(self, gate, x)


class ESE(EffectiveSEModule):
    """Effective SE (Lee, Park, CVPR 2020 workshops, arXiv 1911.06667): one full layer, hard sigmoid."""

    gate: nn.Module
    insertion = "block"
    at = EVERY_STAGE

    def __init__(self, channels: int) -> None:
        super().__init__(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, C, h, w) -> the same, gated."""
        return x * decide(self, self.gate(self.fc(x.mean((2, 3), keepdim=True))), x)


class ECA(EcaModule):
    """ECA (Wang et al., CVPR 2020, arXiv 1910.03151): a 1-D convolution across channel means.

    Args:
        channels: C of the features (N, C, h, w).
        gamma, beta: the kernel is the odd number next to ``(log2 C + beta) / gamma``, at least 3.
    """

    gate: nn.Module
    insertion = "block"
    at = EVERY_STAGE

    def __init__(self, channels: int, gamma: float = 2, beta: float = 1) -> None:
        super().__init__(channels, gamma=gamma, beta=beta)

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, C, h, w) -> the same, gated."""
        gate = self.gate(self.conv(x.mean((2, 3)).unsqueeze(1)))
        return x * decide(self, gate.view(len(x), -1, 1, 1), x)


class CECA(CecaModule):
    """ECA with the channels in a ring (timm's variant of arXiv 1910.03151): no channel is at an edge."""

    gate: nn.Module
    insertion = "block"
    at = EVERY_STAGE

    def __init__(self, channels: int, gamma: float = 2, beta: float = 1) -> None:
        super().__init__(channels, gamma=gamma, beta=beta)

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, C, h, w) -> the same, gated."""
        means = x.mean((2, 3)).unsqueeze(1)
        ring = functional.pad(means, (self.padding, self.padding), mode="circular")
        gate = self.gate(self.conv(ring)).view(len(x), -1, 1, 1)
        return x * decide(self, gate, x)


class CBAM(CbamModule):
    """CBAM (Woo et al., ECCV 2018, arXiv 1807.06521), timm's: a gate a channel, then a gate a position.

    The map shown is the spatial gate. The released code's channel MLP has biases and its spatial norm a
    momentum of 0.01; timm's MLP has none and its norm the usual 0.1.

    Args:
        channels: C of the features (N, C, h, w).
        reduction: hidden channels of the channel gate are C // reduction.
        kernel: side of the spatial gate's convolution, odd.
    """

    insertion = "block"
    at = EVERY_STAGE

    def __init__(self, channels: int, reduction: int = 16, kernel: int = 7) -> None:
        super().__init__(channels, rd_ratio=1 / reduction, spatial_kernel_size=kernel)

    def forward(self, x: Tensor) -> Attended:
        """Features (N, C, h, w) and the spatial gate (N, h, w) in (0, 1)."""
        channel: Any = self.channel
        mean, most = x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
        each = [channel.fc2(channel.act(channel.fc1(squeezed))) for squeezed in (mean, most)]
        x = x * decide(self, channel.gate(each[0] + each[1]), x)
        pooled = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
        gate = decide(self, self.spatial.conv(pooled).sigmoid(), x)
        return Attended(x * gate, gate[:, 0])


class Coord(CoordAttn):
    """Coordinate attention (Hou et al., CVPR 2021, arXiv 2103.02907), timm's; see also `coordinate`.

    The maps shown are the channel means of both gates' product (``gate``) and of either gate.

    Args:
        channels: C of the features (N, C, h, w).
        reduction: hidden channels are 2/3 of C // reduction, rounded to a multiple of 8.
    """

    insertion = "block"
    at = EVERY_STAGE
    gates = "expansion"  # as `coordinate`
    default_map = "gate"

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__(channels, rd_ratio=1 / reduction)

    def forward(self, x: Tensor) -> Attended:
        """Features (N, C, h, w) and maps (N, h, w) in (0, 1)."""
        height, width = x.shape[2:]
        strips = torch.cat([x.mean(3, keepdim=True), x.mean(2, keepdim=True).mT], dim=2)
        shared = self.act(self.bn1(self.conv1(strips)))
        along_height, along_width = shared.split([height, width], dim=2)
        gate_h = decide(self, self.conv_h(along_height).sigmoid(), x)
        gate_w = decide(self, self.conv_w(along_width.mT).sigmoid(), x)
        return Attended(x * gate_w * gate_h, axis_maps(gate_h, gate_w))


class ELA(EfficientLocalAttn):
    """Efficient local attention (Xu, Wan 2024, arXiv 2403.01123): depthwise gates along either axis.

    The maps shown are those of coordinate attention.

    Args:
        channels: C of the features (N, C, h, w).
        kernel: length of the depthwise convolutions, odd.
    """

    insertion = "block"
    at = EVERY_STAGE
    default_map = "gate"

    def __init__(self, channels: int, kernel: int = 7) -> None:
        super().__init__(channels, kernel_size=kernel)

    def forward(self, x: Tensor) -> Attended:
        """Features (N, C, h, w) and maps (N, h, w) in (0, 1)."""
        gate_h = self.act(self.norm_h(self.conv_h(x.mean(dim=3, keepdim=True)))).sigmoid()
        gate_w = self.act(self.norm_w(self.conv_w(x.mean(dim=2, keepdim=True)))).sigmoid()
        gate_h, gate_w = decide(self, gate_h, x), decide(self, gate_w, x)
        return Attended(x * gate_h * gate_w, axis_maps(gate_h, gate_w))


class GC(GlobalContext):
    """Global context (Cao et al. 2019, arXiv 1904.11492), multiplied: softmax pooling, channel gate.

    The maps shown are the pooling's scores before the softmax and after it.

    Args:
        channels: C of the features (N, C, h, w).
        reduction: hidden channels are C // reduction.
    """

    insertion = "block"
    at = EVERY_STAGE
    default_map = "scores"
    fuse_add = False

    def __init__(self, channels: int, reduction: int = 8) -> None:
        add = self.fuse_add
        super().__init__(channels, rd_ratio=1 / reduction, fuse_add=add, fuse_scale=not add)

    def forward(self, x: Tensor) -> Attended:
        """Features (N, C, h, w) and maps (N, h, w): scores unbounded, softmax summing to 1."""
        assert self.conv_attn is not None  # timm leaves it out only without attention pooling
        scores = self.conv_attn(x)[:, 0]
        softmax = scores.flatten(1).softmax(dim=1).view_as(scores)
        return Attended(super().forward(x), {"scores": scores, "softmax": softmax})


class GCA(GC):
    """Global context (Cao et al. 2019, arXiv 1904.11492), added: the paper's own fusion.

    The maps shown are the pooling's scores before the softmax and after it.
    """

    fuse_add = True
