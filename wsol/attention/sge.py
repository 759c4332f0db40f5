"""SGE, spatial group-wise enhance (Li, Hu, Yang 2019, arXiv 1905.09646)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wsol.attention.contract import Attended
from wsol.errors import UserError

EPSILON = 1e-5


class SGE(nn.Module):
    """SGE (Li et al. 2019, arXiv 1905.09646): each channel group gated by likeness to its own mean.

    In each group a position's features are compared with the group's spatial mean by a dot product;
    that map is standardised over positions, scaled, shifted and squashed. The map shown is the gate,
    one a group.

    Args:
        channels: C of the features (N, C, h, w).
        groups: consecutive channel groups; must divide C.
    """

    insertion = "block"
    at = ("stage2", "stage3", "stage4", "stage5")

    def __init__(self, channels: int, groups: int = 64) -> None:
        super().__init__()
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
        return Attended((grouped * gate.unsqueeze(2)).flatten(1, 2), gate)
