"""The convolutions in which a hybrid network (ResNet, then ViT) begins, as stages of their own."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn

from wsol.models.networks.tokens.chain import Link, stage_of


def stem_of(trunk: Any) -> nn.Module | None:
    """The convolutional network inside the trunk's patch embedding; None where patches are pixels'."""
    stem = getattr(getattr(trunk, "patch_embed", None), "backbone", None)
    return stem if isinstance(stem, nn.Module) else None


def take_stem(trunk: Any, kept: list[Link]) -> None:
    """Leave in the trunk those last links of its stem alone that are ``kept``; the rest come before."""
    embed = copy.copy(trunk.patch_embed)
    embed.__dict__["_modules"] = dict(trunk.patch_embed.__dict__["_modules"])
    embed.backbone = stage_of(kept) if kept else nn.Identity()
    trunk.patch_embed = embed
