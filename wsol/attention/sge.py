"""SGE, spatial group-wise enhance (Li, Hu, Yang 2019, arXiv 1905.09646)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from wsol.attention.contract import EVERY_STAGE, Attended
from wsol.attention.decisions import decide
from wsol.errors import UserError

EPSILON = 1e-5
PAPER_GROUPS = 64


class SGE(nn.Module):
    """SGE (Li et al. 2019, arXiv 1905.09646): each channel group gated by likeness to its own mean.

    In each group a position's features are compared with the group's spatial mean by a dot product;
    that map is standardised over positions, scaled, shifted and squashed. The map shown is the gate,
    one a group.

    Args:
        channels: C of the features (N, C, h, w).
        groups: consecutive channel groups; must divide C. None is the paper's 64, or as many of them as
            divide C (32 for 96 channels).
    """

    insertion = "block"
    at = EVERY_STAGE

    def __init__(self, channels: int, groups: int | None = None) -> None:
        super().__init__()
        if groups is None:
            groups = math.gcd(PAPER_GROUPS, channels)
        if groups < 1 or channels % groups:
            raise UserError(
                f"attention SGE: {channels} channels do not split into {groups} groups; "
                "give options.groups that divides them"
            )
        self.groups = groups
        # Released code: scale 0 and shift 1, so that every gate starts at sigmoid(1) everywhere.
        self.group_scale = nn.Parameter(torch.zeros(1, groups, 1, 1))
        self.group_bias = nn.Parameter(torch.ones(1, groups, 1, 1))

    def forward(self, x: Tensor) -> Attended:
        """Features (N, C, h, w) and gates (N, groups, h, w) in (0, 1)."""
        grouped = x.unflatten(1, (self.groups, -1))
        likeness = (grouped * grouped.mean(dim=(3, 4), keepdim=True)).sum(dim=2)
        positions = likeness.shape[2] * likeness.shape[3]
        centred = likeness - likeness.mean(dim=(2, 3), keepdim=True)
        # Unbiased, but for a 1x1 map, where that would be 0/0.
        spread = centred.std(dim=(2, 3), keepdim=True, correction=min(1, positions - 1))
        gate = (self.group_scale * centred / (spread + EPSILON) + self.group_bias).sigmoid()
        gate = decide(self, gate, x)
        return Attended((grouped * gate.unsqueeze(2)).flatten(1, 2), gate)
