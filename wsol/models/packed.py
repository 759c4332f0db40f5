"""What a backbone makes of images as one tensor: its last maps, and its prefix tokens where it has any."""

from __future__ import annotations

import torch
from torch import Tensor

from wsol.models.backbone import Backbone
from wsol.models.networks.tokens.stage import Aside, through
from wsol.models.networks.tokens.token_network import TokenNetwork


def packed_features(backbone: Backbone, images: Tensor) -> Tensor:
    """Images (N, 3, H, W) to the last maps (N, C, h, w), without any attention after them.

    Of a network with P prefix tokens, maps and tokens together: (N, C, h w + P).
    """
    aside = Aside()
    for stage in backbone.stages.values():
        images = through(stage, images, aside)
    if aside.prefix is None:
        return images
    return torch.cat([images.flatten(2), aside.prefix.transpose(1, 2)], dim=2)


def unpacked(packed: Tensor, tokens: TokenNetwork | None) -> tuple[Tensor, Tensor | None]:
    """Maps (N, C, h, w) and prefix tokens (N, P, C) of `packed_features`; ``tokens`` is the network's."""
    if packed.dim() == 4 or tokens is None:
        return packed, None
    height, width = tokens.grid_size
    maps, prefix = packed.split([height * width, tokens.prefix], dim=2)
    return maps.unflatten(2, (height, width)), prefix.transpose(1, 2)
