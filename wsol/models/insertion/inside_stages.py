"""Stage modules inside a stage, after one of its blocks or convolutions; and inside the head."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from wsol.errors import UserError, suggest
from wsol.models.backbone import Backbone
from wsol.models.heads import CamHead
from wsol.models.networks.by_name import probe
from wsol.models.networks.residual_blocks import residual_blocks
from wsol.models.networks.tokens.whole_network import WholeNetwork
from wsol.models.placed import Placed


def insert_inside(backbone: Backbone, place: str, make: Callable[[int], nn.Module]) -> Placed:
    """Put ``make(channels)`` after what ``place`` names, ``stage5.0`` for one.

    Counted from 0 are a stage's residual blocks, or its blocks of tokens; where it has none, its
    children with convolutions: an Inception's modules, a VGG's convolutions, each with the norm and the
    activation that follow it. ``UserError`` where there is no such place.
    """
    path, shape = place_inside(backbone, place)
    inner = backbone.get_submodule(path)
    stage, _, number = place.partition(".")
    stage = backbone.resolve(stage)
    name = f"{stage}.{number}"
    whole = backbone.stages[stage]
    if isinstance(whole, WholeNetwork):
        if len(shape) != 3:
            raise UserError(
                f"{backbone.name}: {type(inner).__name__} gives no tokens that {name} could be after"
            )
        placed = Placed(make(shape[2]), name)
        after = whole.followed(inner, placed, shape[1])
    else:
        placed = Placed(make(shape[1]), name)
        after = nn.Sequential(inner, placed)
    backbone.set_submodule(path, after)
    return placed


def place_inside(backbone: Backbone, place: str) -> tuple[str, tuple[int, ...]]:
    """The path of the module that ``place`` comes after, and the shape of what that gives, N first.

    ``UserError`` where there is no such place.
    """
    stage, _, number = place.partition(".")
    stage = backbone.resolve(stage)
    paths = _places_in(backbone, stage)
    name = f"{stage}.{number}"
    if name not in paths:
        raise UserError(f"{backbone.name} has no place {name!r}{suggest(name, paths)}")
    return paths[name], _shape_after(backbone, backbone.get_submodule(paths[name]))


def insert_in_head(head: nn.Module, place: str, make: Callable[[int], nn.Module]) -> Placed:
    """Put ``make(channels)`` right before the class maps; ``UserError`` where the head has none."""
    if not isinstance(head, CamHead):
        raise UserError("attention.at head: this head has no class maps; take a head.name of cam's kind")
    placed = Placed(make(head.classifier.in_channels), place)
    head.before = nn.Sequential(head.before, placed)
    return placed


def _places_in(backbone: Backbone, stage: str) -> dict[str, str]:
    """Names of the places inside a stage, and the paths of the modules that they come after."""
    whole = backbone.stages[stage]
    if isinstance(whole, WholeNetwork):
        return {
            f"{stage}.{number}": f"stages.{stage}.{path}" for number, path in enumerate(whole.blocks())
        }
    blocks = list(residual_blocks(backbone, [f"stages.{stage}"]))
    paths = blocks or _convolutions_of(backbone, stage)
    return {f"{stage}.{number}": path for number, path in enumerate(paths)}


def _convolutions_of(backbone: Backbone, stage: str) -> list[str]:
    paths: list[str] = []
    follows = False
    for child, module in backbone.get_submodule(f"stages.{stage}").named_children():
        if any(isinstance(part, nn.Conv2d) for part in module.modules()):
            paths.append("")
            follows = True
        # A pooling ends what belongs to a convolution: its norm and its activation.
        follows = follows and "Pool" not in type(module).__name__
        if follows:
            paths[-1] = f"stages.{stage}.{child}"
    return paths


@torch.no_grad()
def _shape_after(backbone: Backbone, module: nn.Module) -> tuple[int, ...]:
    """The shape of what ``module`` gives, empty where that is no tensor; nothing is computed."""
    found: list[tuple[int, ...]] = []
    hook = module.register_forward_hook(
        lambda _, __, output: found.append(tuple(getattr(output, "shape", ())))
    )
    try:
        probe(dict(backbone.stages.items()), backbone.side)
    finally:
        hook.remove()
    return found[0]
