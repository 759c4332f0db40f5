"""Attention rollout (Abnar & Zuidema, "Quantifying Attention Flow in Transformers", ACL 2020)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def rollout(attentions: Sequence[Tensor]) -> Tensor:
    """How much of each token's input arrives in each token of the last block: (N, T, T), rows sum to 1.

    Each block's weights (N, heads, T, T), shallow first, are averaged over heads; half of what a token
    is comes by the shortcut, so the identity is added and rows are normalised; the product goes from the
    last block to the first.
    """
    joint: Tensor | None = None
    for weights in attentions:
        mixed = weights.float().mean(dim=1)
        mixed = mixed + torch.eye(mixed.shape[-1], device=mixed.device)
        mixed = mixed / mixed.sum(dim=-1, keepdim=True)
        joint = mixed if joint is None else mixed @ joint
    if joint is None:
        raise ValueError("rollout of no blocks")
    return joint
