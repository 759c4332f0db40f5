"""What a map of tokens needs of a network; one line says what there is where it is not given."""

from __future__ import annotations

from torch import Tensor

from wsol.errors import UserError
from wsol.models.localizer import Localizer
from wsol.models.networks.tokens.token_network import TokenNetwork

OTHERS = "choose --maps features or cut"


def tokens_of(name: str, localizer: Localizer) -> TokenNetwork:
    """The network's tokens; ``UserError`` where the network has none at one stride."""
    tokens = localizer.backbone.tokens
    if tokens is None:
        raise UserError(
            f"--maps {name} needs a network of tokens at one stride (a ViT); {localizer.backbone.name} "
            f"has none: {OTHERS}"
        )
    return tokens


def check_plain(name: str, localizer: Localizer, blocks: range | None = None) -> TokenNetwork:
    """The network's tokens; ``UserError`` where a block does not attend from every token to every token.

    ``blocks`` are those that have to; None is all.
    """
    tokens = tokens_of(name, localizer)
    for number in range(len(tokens.blocks)) if blocks is None else blocks:
        if not tokens.plain_attention[number]:
            block = tokens.blocks[number]
            kind = type(getattr(block, "attn", block)).__name__
            raise UserError(
                f"--maps {name} needs softmax attention of every token to every token in each block; "
                f"block {number} of {localizer.backbone.name} has {kind}: {OTHERS}"
            )
    return tokens


def check_class_token(name: str, localizer: Localizer) -> TokenNetwork:
    """The network's tokens; ``UserError`` where there is no class token, or the head does not read it.

    The class token of a network that classifies by the mean of its patches gets no gradient in its last
    block: where it attends there was never learned, however well the network does.
    """
    tokens = tokens_of(name, localizer)
    backbone = localizer.backbone.name
    if not tokens.class_token:
        raise UserError(f"--maps {name} needs a class token; {backbone} has none: {OTHERS}")
    if not reads_class_token(localizer):
        more = "" if tokens.pools_class_token else f" ({backbone} was not made to be classified by its)"
        raise UserError(
            f"--maps {name} needs a head that reads the class token; this one reads the patches, so "
            f"nothing taught the token where to look{more}: train head.name class_token, or choose "
            "--maps cam or rollout"
        )
    return tokens


def reads_class_token(localizer: Localizer) -> bool:
    """Whether the head classifies by the class token."""
    return bool(getattr(localizer.head, "reads_class_token", False))


def on_grid(values: Tensor, features: Tensor) -> Tensor:
    """Values of patches (N, h w), row by row, as maps (N, h, w) of the grid of ``features``."""
    height, width = features.shape[-2:]
    return values.reshape(len(values), height, width)
