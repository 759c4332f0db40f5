"""timm's modules that mix positions or replace a convolution, after a stage; gates are in `timm_gates`.

The contract adds modules and replaces no layer, so those that papers put in the place of a block's 3x3
convolution (selective kernels, split attention) follow the last stage.
"""

from __future__ import annotations

from timm.layers.non_local_attn import BatNonLocalAttn, NonLocalAttn
from timm.layers.selective_kernel import SelectiveKernel
from timm.layers.split_attn import SplitAttn
from torch import Tensor

from wsol.errors import UserError


class NonLocal(NonLocalAttn):
    """Non-local block (Wang et al., CVPR 2018, arXiv 1711.07971): self-attention, added.

    Args:
        channels: C of the features (N, C, h, w).
        reduction: queries, keys and values have C // reduction channels.
    """

    # It carries its own shortcut, so it follows a stage. Paper: five inside ResNet50's stages 3 and 4.
    insertion = "stage"
    at = ("stage3", "stage4")
    # The norm before its shortcut starts at zero.
    identity_start = True

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__(channels, rd_ratio=1 / reduction)


class BAT(BatNonLocalAttn):
    """Grouped bilinear attentional transform (Chi et al., CVPR 2020): blocks of positions mixed, added.

    Args:
        channels: C of the features (N, C, h, w); h and w must be multiples of ``block_size``.
        block_size: side of the grid of blocks.
        groups: of channels with a transform each.
        drop_rate: of whole channels before the sum.
    """

    insertion = "stage"
    at = ("stage3", "stage4")

    def __init__(
        self, channels: int, block_size: int = 7, groups: int = 2, drop_rate: float = 0.2
    ) -> None:
        super().__init__(channels, block_size=block_size, groups=groups, drop_rate=drop_rate)
        self.block_size = block_size

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, C, h, w); ``UserError`` where they do not divide into blocks."""
        if x.shape[2] % self.block_size or x.shape[3] % self.block_size:
            raise UserError(
                f"attention BAT: features of {x.shape[2]}x{x.shape[3]} do not divide into blocks of "
                f"{self.block_size}x{self.block_size}; change options.block_size, at or the input size"
            )
        return super().forward(x)


class SK(SelectiveKernel):
    """Selective kernels (Li et al., CVPR 2019, arXiv 1903.06586): a choice of 3x3 and 5x5 a channel.

    Args:
        channels: C of the features (N, C, h, w), even.
        reduction: hidden channels of the choice are C // reduction.
        split_input: half of the channels a path (timm's, with fewer weights); off is the paper's.
    """

    insertion = "stage"
    at = "-1"

    def __init__(self, channels: int, reduction: int = 16, split_input: bool = True) -> None:
        super().__init__(channels, rd_ratio=1 / reduction, split_input=split_input)


class SplAt(SplitAttn):
    """Split attention (Zhang et al. 2020, arXiv 2004.08955): a softmax over ``radix`` feature groups.

    Args:
        channels: C of the features (N, C, h, w).
        radix: feature groups.
    """

    insertion = "stage"
    at = "-1"

    def __init__(self, channels: int, radix: int = 2) -> None:
        super().__init__(channels, radix=radix)
