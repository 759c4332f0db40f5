"""Sides of the images that a network of patches takes, and how it is brought to another."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from wsol.errors import UserError


def own_side(network: Any) -> int | None:
    """The side that the network was built for, in pixels; None where it takes any."""
    if not (hasattr(network, "set_input_size") or _card(network).get("fixed_input_size")):
        return None
    size = getattr(getattr(network, "patch_embed", None), "img_size", None)
    return int((size or getattr(network, "img_size", None) or _card(network)["input_size"][1:])[0])


def card_side(network: Any) -> int | None:
    """The side of images that the library made the network for, in pixels; None where it says none."""
    size = _card(network).get("input_size")
    return int(size[-1]) if size else None


def at_side(
    name: str, network: nn.Module, side: int, build: Callable[..., nn.Module], *, weights: bool
) -> nn.Module:
    """The network, its weights loaded, for images of ``side`` pixels; itself where it takes any.

    Position embeddings and biases are resized as timm does it: in place, or into a network that is
    built for this side, which ``build(img_size=side)`` makes.

    Raises:
        UserError: patches do not fill the image; the network, or its ``weights``, take no other side.
    """
    own = own_side(network)
    if own is None:
        return network
    _refuse_rest(name, network, side)
    if side == own:
        return network
    try:
        if hasattr(network, "set_input_size"):
            changed: Any = network
            changed.set_input_size(img_size=(side, side))
            return network
        other = build(img_size=side)
        if weights:
            other.load_state_dict(resized_state(other, network.state_dict()))
    except (RuntimeError, AssertionError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"backbone {name} was made for images of {own} pixels and cannot be brought to {side} "
            f"({' '.join(str(error).split())[:200]}): set data.input_size to {own}"
        ) from error
    return other


def _refuse_rest(name: str, network: nn.Module, side: int) -> None:
    embed: Any = getattr(network, "patch_embed", None)
    # A stem of convolutions and the patches cut from its features count together.
    patch = int(embed.feat_ratio()) if hasattr(embed, "feat_ratio") else 1
    if side % patch:
        low = side // patch * patch
        near = f"{low} or {low + patch}" if low else f"{patch}"
        raise UserError(
            f"backbone {name} cuts patches of {patch} x {patch} pixels, which do not fill images of "
            f"{side}: set data.input_size to {near}"
        )


def resized_state(network: Any, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights made for images of another side, resized for the network as timm does it on loading.

    They are returned as they are where the network takes any side, or timm knows no way.
    """
    if own_side(network) is None:
        return dict(state)
    module = importlib.import_module(type(network).__module__)
    resize = getattr(module, "checkpoint_filter_fn", None)
    try:
        return dict(resize(dict(state), network)) if resize else dict(state)
    except (RuntimeError, AssertionError, ValueError, TypeError, KeyError, AttributeError):
        return dict(state)


def _card(network: Any) -> Mapping[str, Any]:
    return getattr(network, "pretrained_cfg", None) or {}
