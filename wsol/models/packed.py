"""What a backbone makes of images as one tensor: its last maps and, where it has any, prefix tokens."""

from __future__ import annotations

import torch
from torch import Tensor

from wsol.models.backbone import Backbone
from wsol.models.networks.tokens.layouts import FIRST, TOKENS, from_maps, to_maps
from wsol.models.networks.tokens.stage import Aside, through


def packed_features(backbone: Backbone, images: Tensor) -> Tensor:
    """Images (N, 3, H, W) to the last maps without any attention after them, as the network has them.

    That is (N, C, h, w), or (N, h, w, C) where channels come last, or tokens (N, P + h w, C), the P
    prefix tokens first: in another order in memory, sums would round differently.
    """
    aside = Aside()
    for stage in backbone.stages.values():
        images = through(stage, images, aside)
    own = from_maps(images, _layout(backbone))
    return own if aside.prefix is None else torch.cat([aside.prefix, own], dim=1)


def unpacked(packed: Tensor, backbone: Backbone) -> tuple[Tensor, Tensor | None]:
    """Maps (N, C, h, w) and prefix tokens (N, P, C), None without any, of `packed_features`."""
    layout, tokens = _layout(backbone), backbone.tokens
    if layout != TOKENS or tokens is None:
        return to_maps(packed, layout), None
    prefix = packed[:, : tokens.prefix] if tokens.prefix else None
    return to_maps(packed[:, tokens.prefix :], layout, tokens.grid_size), prefix


def _layout(backbone: Backbone) -> str:
    return getattr(backbone.stages[backbone.last_maps], "layout", FIRST)
