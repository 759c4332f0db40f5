"""What comes after a block inside a stage of tokens: it sees maps, the block keeps its tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from wsol.models.networks.tokens.layouts import TOKENS, from_maps, to_maps


class Followed(nn.Module):
    """The block, called as it was, and a module over maps (N, C, h, w) on its output; shapes stay.

    Args:
        inner: the block. Its output has ``layout``, tokens with ``prefix`` before those of the grid.
        after: the module over maps; prefix tokens pass by.
        grid: (h, w) of tokens; None is square.
    """

    def __init__(
        self,
        inner: nn.Module,
        after: nn.Module,
        layout: str,
        prefix: int = 0,
        grid: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.inner, self.after = inner, after
        self.layout, self.prefix, self.grid = layout, prefix, grid

    def forward(self, x: Tensor, *arguments: Any, **named: Any) -> Tensor:
        """What the block gives for the same arguments, after the module."""
        x = self.inner(x, *arguments, **named)
        beside = x[:, : self.prefix] if self.layout == TOKENS and self.prefix else None
        maps = to_maps(x if beside is None else x[:, self.prefix :], self.layout, self.grid)
        x = from_maps(self.after(maps), self.layout)
        return x if beside is None else torch.cat([beside, x], dim=1)
