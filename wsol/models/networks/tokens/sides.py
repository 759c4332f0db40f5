"""Sides of the images that a network of patches takes, and how it is brought to another."""

from __future__ import annotations

from typing import Any

from torch import nn

from wsol.errors import UserError


def own_side(network: Any) -> int | None:
    """The side that the network was built for, in pixels; None where it takes any."""
    embed = getattr(network, "patch_embed", None)
    size = getattr(embed, "img_size", None)
    return int(size[0]) if size and hasattr(network, "set_input_size") else None


def take_side(name: str, network: nn.Module, side: int) -> None:
    """Bring the network, after its weights, to images of ``side`` pixels, in place.

    Position embeddings and biases are resized as timm does it. ``UserError`` where patches do not fill
    the image.
    """
    own = own_side(network)
    if own is None:
        return
    resize: Any = network
    patch = int(resize.patch_embed.patch_size[0])
    if side % patch:
        low = side // patch * patch
        near = f"{low} or {low + patch}" if low else f"{patch}"
        raise UserError(
            f"backbone {name} cuts patches of {patch} x {patch} pixels, which do not fill images of "
            f"{side}: set data.input_size to {near}"
        )
    if side != own:
        resize.set_input_size(img_size=(side, side))
