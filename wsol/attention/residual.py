"""Residual attention (Wang et al., "Residual Attention Network", CVPR 2017, arXiv 1704.06904)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from wsol.attention.contract import Attended
from wsol.attention.decisions import decide
from wsol.errors import UserError, suggest

POOLINGS = ("centred", "author")


class SoftMask(nn.Module):
    """The mask branch: (N, C, h, w) -> M (N, C, h, w) in (0, 1), by `soft_mask`.

    Down by max pooling and residual units and up again by bilinear upsampling, with skips between
    levels, then two 1x1 convolutions and a sigmoid.

    Args:
        channels: C.
        depth: poolings, at least 1.
        units: residual units after each pooling and before each upsampling (r in the paper).
        pooling: ``"centred"``, 3x3 with a margin, or ``"author"``: without, sides rounded up.
    """

    def __init__(self, channels: int, depth: int, units: int, pooling: str) -> None:
        if min(depth, units) < 1:
            raise UserError(f"ResidualAttention: depth {depth}, units {units}: both are 1 or more")
        if pooling not in POOLINGS:
            raise UserError(
                f"ResidualAttention: unknown pooling {pooling!r}{suggest(pooling, POOLINGS)}"
            )
        super().__init__()
        self.mask = MaskLevel(channels, depth, units, pooling)
        self.gate = nn.Sequential(*_conv(channels, channels, 1), *_conv(channels, channels, 1))

    def soft_mask(self, x: Tensor) -> Tensor:
        """M of the features x."""
        return self.gate(self.mask(x)).sigmoid()


def masked(module: nn.Module, trunk: Tensor, mask: Tensor) -> Attended:
    """``(1 + M) T``, and what is shown of it: M, and ``product``, the size of M T at each position.

    A mask of hundreds of channels is nearly flat in its mean, and min-max makes the most of what is
    left: |M T| is what the mask lets through. Both are readings; the paper shows single channels.
    """
    mask = decide(module, mask, trunk)
    with torch.no_grad():
        product = (mask * trunk).abs()
    return Attended(trunk * (1 + mask), {"product": product, "": mask})


class ResidualAttention(SoftMask):
    """Residual attention (Wang et al., CVPR 2017, arXiv 1704.06904): a bottom-up top-down mask, added.

    ``(1 + M) * T``. Shown are M, its mean over channels, and ``product``, that of |M T|.

    Args:
        channels: C of the features (N, C, h, w).
        depth: poolings of the mask branch, at least 1; the author's networks have 3, 2 and 1 at 56, 28
            and 14 positions a side.
        units: residual units after each pooling and before each upsampling (r in the paper).
        pooling: ``"centred"``, 3x3 with a margin, or ``"author"``: without, sides rounded up.
    """

    insertion = "stage"
    # Paper: a module at each of the three middle stages (Attention-56).
    at = ("stage2", "stage3", "stage4")

    # Paper: 3, 2 and 1 poolings at those stages, down to 7x7. A module is told its channels and not its
    # size, so ours has one depth at all of them; insert it one by one to vary it, or take the whole
    # network, `attention56`.
    def __init__(self, channels: int, depth: int = 2, units: int = 1, pooling: str = "centred") -> None:
        # Paper: the trunk T is two residual units more. Here it is the stage itself, so that pretrained
        # features stay what they are.
        super().__init__(channels, depth, units, pooling)

    def forward(self, x: Tensor) -> Attended:
        """Features (N, C, h, w) and maps: M in (0, 1), and |M T|."""
        return masked(self, x, self.soft_mask(x))


class MaskLevel(nn.Module):
    """One level of the mask branch: down, the levels below beside a skip, and up again.

    (N, C, h, w) -> (N, C, h, w), whatever the size: an odd side rounds up on the way down.
    """

    def __init__(self, channels: int, depth: int, units: int, pooling: str) -> None:
        super().__init__()
        self.pooling = pooling
        self.down = nn.Sequential(*(ResidualUnit(channels) for _ in range(units)))
        self.up = nn.Sequential(*(ResidualUnit(channels) for _ in range(units)))
        self.below = MaskLevel(channels, depth - 1, units, pooling) if depth > 1 else None
        self.skip = ResidualUnit(channels) if depth > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """Features of this level's own size."""
        y = self.down(self._pooled(x))
        if self.below is not None and self.skip is not None:
            y = self.skip(y) + self.below(y)
        return functional.interpolate(self.up(y), x.shape[2:], mode="bilinear")

    def _pooled(self, x: Tensor) -> Tensor:
        if self.pooling == "centred":
            return functional.max_pool2d(x, 3, stride=2, padding=1)
        # Caffe pools without a margin and rounds up; of fewer than three positions all are pooled.
        height, width = (min(3, side) for side in x.shape[2:])
        return functional.max_pool2d(x, (height, width), stride=2, ceil_mode=True)


class ResidualUnit(nn.Module):
    """A bottleneck with its norms before its convolutions; (N, C, h, w) -> (N, C, h, w)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(1, channels // 4)
        self.branch = nn.Sequential(
            *_conv(channels, hidden, 1), *_conv(hidden, hidden, 3), *_conv(hidden, channels, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Branch plus shortcut."""
        return x + self.branch(x)


def _conv(channels: int, out_channels: int, kernel: int) -> list[nn.Module]:
    """Norm, ReLU, convolution. The ReLU is not in place, since its input is also the shortcut."""
    convolution = nn.Conv2d(channels, out_channels, kernel, padding=kernel // 2, bias=False)
    return [nn.BatchNorm2d(channels), nn.ReLU(), convolution]
