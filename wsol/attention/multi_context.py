"""Multi-context attention: a map whose positions agree with their neighbours, in a few rounds.

Chu et al., "Multi-Context Attention for Human Pose Estimation", CVPR 2017, arXiv 1702.07432; author code
bearpaw/pose-attention. Of the paper it is the attention with a conditional random field's mean-field
rounds; there it weighs features inside an hourglass, here those of a stage (reading).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wsol.attention.contract import Attended
from wsol.attention.decisions import decide
from wsol.errors import UserError


class MultiContextAttention(nn.Module):
    """Multi-context attention (Chu et al., CVPR 2017, arXiv 1702.07432): ``x * Q``, Q the map.

    ``U`` is a 3x3 convolution of the features to one channel, ``K`` one small convolution that all
    rounds share: ``Q_1 = sigmoid(K * U + U)``, ``Q_i = sigmoid(K * Q_(i-1) + U)``. It has
    9 C + 2 + k^2 parameters.

    Args:
        channels: C of the features (N, C, h, w).
        kernel: side k of K, odd. 1 is the released module's default, 11 what its training script uses.
        rounds: how many Q there are; the last one is used.
    """

    insertion = "stage"
    at = "-1"

    def __init__(self, channels: int, kernel: int = 1, rounds: int = 3) -> None:
        if kernel < 1 or kernel % 2 == 0 or rounds < 1:
            raise UserError(
                f"MultiContextAttention: kernel {kernel} must be odd, rounds {rounds} 1 or more"
            )
        super().__init__()
        self.rounds = rounds
        self.unary = nn.Conv2d(channels, 1, 3, padding=1)
        self.pairwise = nn.Conv2d(1, 1, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Attended:
        """Features (N, C, h, w) and Q (N, h, w) in (0, 1)."""
        unary = self.unary(x)
        # Author code: in the first round U itself goes through K, without a sigmoid.
        context = unary
        for _ in range(self.rounds):
            context = torch.sigmoid(self.pairwise(context) + unary)
        context = decide(self, context, x)
        return Attended(x * context, context[:, 0])
