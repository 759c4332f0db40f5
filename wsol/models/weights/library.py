"""The pretrained weights of timm and torchvision by name: which they are, and their tensors."""

from __future__ import annotations

import dataclasses
import logging
import re
from pathlib import PurePosixPath
from typing import Any

from torch import Tensor

from wsol.errors import UserError, suggest
from wsol.models.networks.by_name import library_of
from wsol.recipe import BackboneSettings, WeightsSettings

# torchvision's first ones, which the field starts from.
FIRST = "IMAGENET1K_V1"
# What the libraries' downloaders say without a network, each at length.
OFFLINE = re.compile(r"connect|resolve|offline|urlopen|timed out|unreachable", re.IGNORECASE)


def with_tag(weights: WeightsSettings, backbone: BackboneSettings) -> WeightsSettings:
    """The card with the library's own name of the weights filled in; nothing is downloaded.

    timm's is ``resnet50.tv_in1k``, and of a plain ``resnet50`` the one that this timm takes by default.
    torchvision's is ``IMAGENET1K_V1/resnet50-0676ba61``: the file's name holds the first digits of its
    SHA-256, since a library may put another file under the same name.

    Raises:
        UserError: no such weights, or this library's are another file's.
    """
    name = library_of(backbone.name)[1]
    known = _timm_tag if weights.name == "timm" else _torchvision_tag
    return dataclasses.replace(weights, tag=known(name, weights.tag))


def library_state(backbone: BackboneSettings, weights: WeightsSettings) -> dict[str, Tensor]:
    """The tensors that ``weights.tag`` names, by name; the library may download them."""
    name, weights = library_of(backbone.name)[1], with_tag(weights, backbone)
    if weights.name == "timm":
        return _timm_state(backbone, weights)
    entry = _torchvision_entry(name, weights.tag)
    try:
        return entry.get_state_dict(progress=False)
    except OSError as error:
        raise UserError(_not_loaded("torchvision", name, error)) from error


def _timm_state(backbone: BackboneSettings, weights: WeightsSettings) -> dict[str, Tensor]:
    import timm

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # each retry would be a line
    try:
        network = timm.create_model(weights.tag, pretrained=True, **backbone.options)
    except (RuntimeError, OSError) as error:
        raise UserError(_not_loaded("timm", weights.tag, error)) from error
    card: Any = network.pretrained_cfg
    if (tuple(card["mean"]), tuple(card["std"])) != (tuple(weights.mean), tuple(weights.std)):
        raise UserError(
            f"timm's weights of {weights.tag} want weights.mean {list(card['mean'])} and "
            f"weights.std {list(card['std'])}"
        )
    return network.state_dict()


def _timm_tag(name: str, asked: str) -> str:
    """``resnet50.a1_in1k`` of ``resnet50``; ``asked`` may leave out the network."""
    import timm

    architecture, _, own = name.partition(".")
    tag = asked.removeprefix(f"{architecture}.") or own
    if own and tag != own:
        raise UserError(f"backbone.name is {name}, but weights.tag is {asked}: leave one of them out")
    try:
        card = timm.models.get_pretrained_cfg(f"{architecture}.{tag}" if tag else architecture)
    except RuntimeError:
        known = [full.partition(".")[2] for full in timm.list_pretrained(f"{architecture}.*")]
        near = suggest(tag, known)
        raise UserError(f"timm has no weights {tag!r} of {architecture}{near}") from None
    if card is None or not (card.url or card.hf_hub_id or card.file):
        raise UserError(f"timm has no pretrained weights of {name}: name a file with --weights")
    return f"{architecture}.{card.tag}" if card.tag else architecture


def _torchvision_tag(name: str, asked: str) -> str:
    entry = _torchvision_entry(name, asked)
    found = f"{entry.name}/{PurePosixPath(entry.url).stem}"
    if "/" in asked and asked != found:
        raise UserError(f"weights.tag is {asked}, but this torchvision has {found}")
    return found


def _torchvision_entry(name: str, asked: str) -> Any:
    """torchvision's entry of the weights, by the part of the tag before the file's name."""
    from torchvision import models

    try:
        entries = {entry.name: entry for entry in models.get_model_weights(name)}
    except (ValueError, KeyError):
        entries = {}
    chosen = asked.partition("/")[0] or FIRST
    if not entries or (not asked and FIRST not in entries):
        raise UserError(f"torchvision has no ImageNet weights of {name}: try weights.name timm")
    if chosen not in entries:
        raise UserError(
            f"torchvision has no weights {chosen!r} of {name}{suggest(chosen, list(entries))}"
        )
    return entries[chosen]


def _not_loaded(library: str, name: str, error: Exception) -> str:
    text = " ".join(str(error).split())
    reason = "no connection to its server" if OFFLINE.search(text) else text[:200]
    return f"{library}'s weights of {name} cannot be loaded ({reason}); name a file with --weights"
