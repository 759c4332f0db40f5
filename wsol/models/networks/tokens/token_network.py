"""What a network of plain tokens is made of, for maps and methods that read its insides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import nn

# Self-attention of every token to every token, softmax over all, whose ``attn_drop`` gets the softmax's
# output (N, heads, T, T) while ``fused_attn`` is False; some add a bias or rotate before it.
PLAIN_ATTENTION = (
    "timm.layers.attention:Attention",
    "timm.layers.attention:AttentionRope",
    "timm.models.vision_transformer:Attention",
    "timm.models.vision_transformer_relpos:RelPosAttention",
    "timm.models.eva:EvaAttention",
    "timm.models.beit:Attention",
)


@dataclass(frozen=True)
class TokenNetwork:
    """A network of tokens at one stride, `wsol.models.backbone.Backbone.tokens`.

    Attributes:
        blocks: the built network's own block modules, in order. Their inputs and outputs are tokens
            (N, P + h w, C): prefix tokens first, then the grid row by row. Stage attention inside
            a stage comes after a block and leaves these modules themselves as they are.
        prefix: P, the number of prefix tokens (class, distillation, register).
        class_token: whether the first of them is a class token.
        pools_class_token: whether the network as published classifies by it. Some carry one and pool the
            average of the patches (BEiT, EVA-02): their class token was trained for nothing.
        side: of the images it was built for, in pixels.
        grid_size: (h, w) at that side.
        plain_attention: for each block, whether ``block.attn`` is global softmax self-attention over all
            tokens, and gives its weights (N, heads, P + h w, P + h w) to ``block.attn.attn_drop`` while
            ``block.attn.fused_attn`` is False.
    """

    blocks: tuple[Any, ...]
    prefix: int
    class_token: bool
    pools_class_token: bool
    side: int
    grid_size: tuple[int, int]
    plain_attention: tuple[bool, ...]

    @property
    def is_plain(self) -> bool:
        """Whether all of its blocks have plain attention, as rollout and its kin need."""
        return bool(self.plain_attention) and all(self.plain_attention)

    def grid(self, side: int) -> tuple[int, int]:
        """(h, w) of the patch tokens for square images of ``side`` pixels."""
        height, width = self.grid_size
        return side * height // self.side, side * width // self.side


def described(
    network: Any, blocks: Iterable[nn.Module], prefix: int, side: int, grid_size: tuple[int, int]
) -> TokenNetwork:
    """The network's `TokenNetwork`."""
    blocks = tuple(blocks)
    has_class_token = prefix > 0 and getattr(network, "cls_token", None) is not None
    return TokenNetwork(
        blocks,
        prefix,
        has_class_token,
        has_class_token and getattr(network, "global_pool", "") == "token",
        side,
        grid_size,
        tuple(_is_plain(getattr(block, "attn", None)) for block in blocks),
    )


def has_plain_blocks(network: Any) -> bool:
    """Whether it is blocks of plain attention at one stride, even where these make a chain."""
    blocks = getattr(network, "blocks", None)
    if not isinstance(blocks, nn.Sequential | nn.ModuleList) or not len(blocks):
        return False
    return all(_is_plain(getattr(block, "attn", None)) for block in blocks)


def _is_plain(attention: object) -> bool:
    kind = type(attention)
    return f"{kind.__module__}:{kind.__name__}" in PLAIN_ATTENTION
