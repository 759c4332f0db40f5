"""TDAM: top-down attention from a block's output to its input, one searchlight for all positions.

Jaiswal, Fernando, Tan, "TDAM: Top-Down Attention Module for Contextually Guided Feature Selection
in CNNs", ECCV 2022, arXiv 2111.13470. The loop over steps is `wsol.models.insertion.feedback_block`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from wsol.attention.contract import Attended
from wsol.attention.decisions import decide
from wsol.errors import UserError, suggest

GATINGS = ("joint", "top_only", "joint_additive")
POOLINGS = {"avp": functional.adaptive_avg_pool2d, "mp": functional.adaptive_max_pool2d}
COMBINATIONS = ("sum", "avg")


class TDAM(nn.Module):
    """TDAM (Jaiswal et al., ECCV 2022, arXiv 2111.13470): a block's output gates its input, T times.

    A searchlight S (N, Cb, 1, 1) gates the bottom's channels, then its positions:
    ``X' = X * sigmoid(S)``; ``A = sum over channels of S * X'``; the result is ``X' * sigmoid(A)``.
    Its map is sigmoid(A), (N, H, W) in (0, 1).

    Args:
        bottom_channels, top_channels: Cb of the features that are gated, Ct of those that guide.
        gating: ``"joint"``: S = Ws [ReLU(Wt gap(top)); ReLU(Wb gap(bottom))]; ``"top_only"``:
            S = Ws ReLU(Wt gap(top)); ``"joint_additive"``: the two reduced vectors are added (released
            code: "bilinear"). All W are 1x1 convolutions without bias.
        reduction: the hidden width is Ct // reduction.
        min_hidden: the least hidden width; 1 is the paper's, thin blocks want 8.
        pooling: ``"avp"`` (average), ``"mp"`` (maximum) or both, through the same weights.
        combine: with two poolings S is their ``"sum"`` or ``"avg"``.

    Raises:
        UserError: an option's value that there is not.
    """

    insertion = "feedback"
    # Paper: every block of layer3 and layer4 of a ResNet, its last two stages.
    at = ("-2", "-1")
    # The paper's own map. It can saturate to one value everywhere; "score", A itself, does not.
    default_map = "gate"

    def __init__(
        self,
        bottom_channels: int,
        top_channels: int,
        gating: str = "joint",
        reduction: int = 16,
        min_hidden: int = 1,
        pooling: Sequence[str] = ("avp",),
        combine: str = "sum",
    ) -> None:
        super().__init__()
        self.pooling = (pooling,) if isinstance(pooling, str) else tuple(pooling)
        _check(gating, reduction, min_hidden, self.pooling, combine)
        self.gating = gating
        self.combine = combine
        hidden = max(min_hidden, top_channels // reduction)
        self.top_reduce = nn.Conv2d(top_channels, hidden, 1, bias=False)
        if gating != "top_only":
            self.bottom_reduce = nn.Conv2d(bottom_channels, hidden, 1, bias=False)
        joined = 2 * hidden if gating == "joint" else hidden
        self.expand = nn.Conv2d(joined, bottom_channels, 1, bias=False)

    def forward(self, bottom: Tensor, top: Tensor) -> Attended:
        """``bottom`` (N, Cb, H, W), ``top`` (N, Ct, H', W') -> gated bottom, maps sigmoid(A) and A."""
        searchlight = self.searchlight(bottom, top)
        selected = bottom * decide(self, torch.sigmoid(searchlight), bottom)
        # The raw searchlight weighs the sum, not its sigmoid: channels may vote against a position.
        score = (searchlight * selected).sum(dim=1)
        gate = decide(self, torch.sigmoid(score), selected)
        return Attended(selected * gate.unsqueeze(1), {"gate": gate, "score": score})

    def searchlight(self, bottom: Tensor, top: Tensor) -> Tensor:
        """S (N, Cb, 1, 1), before any sigmoid."""
        lights = torch.stack([self._one_searchlight(bottom, top, name) for name in self.pooling])
        return lights.sum(dim=0) if self.combine == "sum" else lights.mean(dim=0)

    def _one_searchlight(self, bottom: Tensor, top: Tensor, pooling: str) -> Tensor:
        pool = POOLINGS[pooling]
        reduced = torch.relu(self.top_reduce(pool(top, 1)))
        if self.gating != "top_only":
            below = torch.relu(self.bottom_reduce(pool(bottom, 1)))
            reduced = torch.cat([reduced, below], dim=1) if self.gating == "joint" else reduced + below
        return self.expand(reduced)


def _check(gating: str, reduction: int, min_hidden: int, pooling: tuple[str, ...], combine: str) -> None:
    for option, value, known in (
        ("gating", gating, GATINGS),
        *(("pooling", name, POOLINGS) for name in pooling),
        ("combine", combine, COMBINATIONS),
    ):
        if value not in known:
            raise UserError(f"TDAM: unknown {option} {value!r}{suggest(str(value), known)}")
    if not pooling:
        raise UserError(f"TDAM: pooling must name one of {', '.join(POOLINGS)} or both")
    for option, number in (("reduction", reduction), ("min_hidden", min_hidden)):
        if number < 1:
            raise UserError(f"TDAM: {option} must be 1 or more, not {number}")
