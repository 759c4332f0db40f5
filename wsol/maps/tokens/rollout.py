"""Attention rollout (Abnar & Zuidema, "Quantifying Attention Flow in Transformers", ACL 2020)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from wsol.attention.warps import pulled_back
from wsol.maps.contract import Columns, ModelMaps
from wsol.maps.tokens.attention_weights import weights_kept
from wsol.maps.tokens.token_needs import check_plain, on_grid, reads_class_token
from wsol.models.localizer import Localizer, LocalizerOutput


class AttentionRollout(ModelMaps):
    """Attention of all blocks multiplied through, for tokens that the head reads; class-agnostic.

    Of a head that reads the class token it is that token's row, as in the paper. Of one that averages
    the patches the mean of their rows: our reading. Every block has to attend from every token to every
    token; windows (Swin, MaxViT), channels (XCiT) and a late class token (CaiT) are refused.
    """

    title = "attention rollout"
    own_pass = True

    @contextmanager
    def ready(self, localizer: Localizer) -> Iterator[None]:
        """All blocks' weights are kept; ``UserError`` where one has others than rollout speaks of."""
        tokens = check_plain(self.name, localizer)
        self._prefix = tokens.prefix
        self._of_class_token = reads_class_token(localizer)
        with weights_kept([block.attn for block in tokens.blocks]) as self._weights:
            yield

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Maps (N, h, w) in [0, 1]: the share that each patch has in what the head reads."""
        flow = rollout(self._weights)
        read = flow[:, :1] if self._of_class_token else flow[:, self._prefix :]
        maps = read.mean(dim=1)[:, self._prefix :]
        return pulled_back(on_grid(maps, output.features), output.window)


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
