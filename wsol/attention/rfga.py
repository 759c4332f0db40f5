"""RFGA: residual fine-grained attention, one gate for every feature value.

Sohn, Jeon, Jung, Kang, Suk, "Fine-Grained Attention for Weakly Supervised Object Localization",
arXiv 2104.04952. The paper released no code: the equations are those of the same authors' follow-up
MoANA (Scientific Reports 2023, doi 10.1038/s41598-023-45796-8), whose code has the three mechanisms
that the RFGA abstract names. So this is "RFGA, per the MoANA code".
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from wsol.attention.contract import Attended
from wsol.attention.decisions import decide
from wsol.errors import UserError, suggest

# The three views of a feature tensor, by the axis that each keeps.
VIEWS = ("channel", "height", "width")
FUSIONS = ("sum", "product")
GRAINS = ("fine", "coarse")
# X' = X * (offset + scale * M). The second is MoANA's code for pseudo masks of segmentation.
GATES = {"one_plus_sum": (1.0, 1.0), "0.35_plus_0.65_sum": (0.35, 0.65)}


class ViewGate(nn.Module):
    """One view's gate: a 1-D convolution along its axis, batch norm over channels, sigmoid.

    Args:
        view: ``"channel"``: (N, C, H, W) -> (N, C, 1, 1), one kernel slides along the channels;
            ``"height"``: -> (N, C, H, 1) and ``"width"``: -> (N, C, 1, W), mixing all channels.
    """

    def __init__(self, view: str, channels: int, kernel: int, norm: bool) -> None:
        super().__init__()
        self.view = view
        mixed = 1 if view == "channel" else channels
        self.conv = nn.Conv1d(mixed, mixed, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm1d(channels) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, C, H, W) -> this view's gate in (0, 1), to be broadcast."""
        height, width = x.shape[2:]
        window = {"channel": (height, width), "height": (1, width), "width": (height, 1)}[self.view]
        # avg_pool2d as in the released code: batch norm over two or three images magnifies the rounding
        # of another order of sums (mean() differs by 7e-5 where this differs by 1e-6).
        pooled = functional.avg_pool2d(x, window)
        line = pooled.flatten(2)
        line = self.conv(line.mT).mT if self.view == "channel" else self.conv(line)
        return torch.sigmoid(self.norm(line)).view_as(pooled)


class RFGA(nn.Module):
    """RFGA (Sohn et al. 2021, arXiv 2104.04952), per MoANA's code: one gate for every feature value.

    Gates of three views, expanded to (N, C, H, W) and added: ``X' = X * (1 + M)``. Its map M is
    in (0, 3); 6 C^2 + 6 C + 3 parameters with ``kernel=3``.

    Args:
        channels: C of the features.
        kernel: odd length of the 1-D convolutions.
        views: which of ``"channel"``, ``"height"``, ``"width"`` take part (ablation: leave some out).
        fusion: ``"sum"``, or ``"product"`` of the views' gates (ablation).
        residual: False takes the 1 away, ``X' = X * M`` (ablation).
        norm: False takes the batch norms away (ablation).
        gate: ``"one_plus_sum"``, or ``"0.35_plus_0.65_sum"`` of MoANA's segmentation code.
        grain: ``"fine"``, one gate for every value; ``"coarse"``, one for a channel and one for a
            position, as coarser modules have: the views of height and width are averaged over channels.
            As many parameters, and hardly another cost: an ablation of the paper's claim, and ours.

    Raises:
        UserError: an even kernel, or a view, fusion, gate or grain there is not.
    """

    insertion = "stage"
    at = "-1"

    def __init__(
        self,
        channels: int,
        kernel: int = 3,
        views: Sequence[str] = VIEWS,
        fusion: str = "sum",
        residual: bool = True,
        norm: bool = True,
        gate: str = "one_plus_sum",
        grain: str = "fine",
    ) -> None:
        super().__init__()
        views = (views,) if isinstance(views, str) else tuple(views)
        _check(kernel, views, fusion, gate, grain)
        self.fusion, self.grain = fusion, grain
        self.offset, self.scale = GATES[gate]
        if not residual:
            self.offset = 0.0
        self.gates = nn.ModuleDict({view: ViewGate(view, channels, kernel, norm) for view in views})

    def forward(self, x: Tensor) -> Attended:
        """Features (N, C, H, W) -> the same, gated, and M (N, C, H, W)."""
        # Abstract of the paper: a triple view and its expansion; released code: the views are added,
        # no softmax among them.
        gates = [self._grained(view, gate(x)) for view, gate in self.gates.items()]
        attention = gates[0]
        for other in gates[1:]:
            attention = attention + other if self.fusion == "sum" else attention * other
        attention = decide(self, attention.expand_as(x), x)
        return Attended(x * (self.offset + self.scale * attention), attention)

    def _grained(self, view: str, gate: Tensor) -> Tensor:
        if self.grain == "fine" or view == "channel":
            return gate
        return gate.mean(dim=1, keepdim=True)


def _check(kernel: int, views: tuple[str, ...], fusion: str, gate: str, grain: str) -> None:
    if kernel < 1 or kernel % 2 == 0:
        raise UserError(f"RFGA: kernel must be odd, so that gates keep their length, not {kernel}")
    if not views or len(set(views)) < len(views):
        raise UserError(f"RFGA: views must be some of {', '.join(VIEWS)}, each once, not {list(views)}")
    for option, value, known in (
        *(("view", view, VIEWS) for view in views),
        ("fusion", fusion, FUSIONS),
        ("gate", gate, GATES),
        ("grain", grain, GRAINS),
    ):
        if value not in known:
            raise UserError(f"RFGA: unknown {option} {value!r}{suggest(str(value), known)}")
