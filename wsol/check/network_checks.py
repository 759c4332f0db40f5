"""The module inside a network: where it goes, what the network then gives, and one epoch of training."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from wsol.attention import ATTENTION
from wsol.attention.contract import GLOBAL
from wsol.check.finding import Finding
from wsol.check.module_under_check import ModuleUnderCheck, Shape
from wsol.errors import UserError, blamed_on
from wsol.models.factory import build_localizer
from wsol.models.localizer import Localizer
from wsol.models.tapped_head import TappedHead
from wsol.recipe import AttentionSettings, BackboneSettings, DataSettings, Recipe

# Clutter's classes.
CLUTTER_CLASSES = 10

EPOCH = "one epoch on clutter"


def recipe_of(
    name: str, options: Mapping[str, Any], backbone: str, at: Sequence[str], input_size: int
) -> Recipe:
    """The recipe that puts the module into ``backbone``, at its default places where ``at`` is empty."""
    return Recipe(
        data=DataSettings(input_size=input_size, resize_size=input_size),
        backbone=BackboneSettings(backbone),
        attention=AttentionSettings(name, list(at), dict(options)),
    )


def build(recipe: Recipe, seed: int = 0) -> Localizer:
    """The recipe's localizer from a seeded start; ``UserError`` where the module cannot be built."""
    torch.manual_seed(seed)
    with blamed_on(f"{recipe.attention.label} cannot be built"):
        return build_localizer(recipe, CLUTTER_CLASSES)


def module_under_check_in(localizer: Localizer, recipe: Recipe) -> ModuleUnderCheck:
    """The bare module with the shapes it meets in this network."""
    backbone, side = localizer.backbone, recipe.data.input_size
    taps: Sequence[str] = [place.partition(".")[0] for place in localizer.placed]
    if isinstance(localizer.head, TappedHead):
        taps = localizer.head.taps
    shapes: dict[str, Shape] = {}
    for stage in taps:
        width = -(-side // backbone.stage_strides[stage])
        shapes[stage] = (backbone.stage_channels[stage], width, width)
    if isinstance(localizer.head, TappedHead) and localizer.head.has_global:
        shapes[GLOBAL] = (backbone.out_channels, 1, 1)
    settings = recipe.attention
    return ModuleUnderCheck(settings.name, ATTENTION.get(settings.name), shapes, settings.options)


def check_network(localizer: Localizer, recipe: Recipe) -> list[Finding]:
    """What the network gives with the module in it, its default map, and any parameter left unused."""
    torch.manual_seed(0)
    side = recipe.data.input_size
    output = localizer.train()(torch.randn(2, 3, side, side))
    expected = f"logits (2, {CLUTTER_CLASSES}), finite"
    finite = bool(torch.isfinite(output.logits).all())
    right = finite and tuple(output.logits.shape) == (2, CLUTTER_CLASSES)
    found = f"logits {tuple(output.logits.shape)}, {'finite' if finite else 'not finite'}"
    network = Finding(
        "in the network", right, expected, found, "" if right else "the network's logits are wrong"
    )
    output.logits.square().sum().backward()
    idle = {name for name, one in localizer.named_parameters() if one.requires_grad and one.grad is None}
    undeclared = sorted(idle - localizer.parameters_without_gradient())
    found = (
        "all used" if not idle else f"{len(idle)} unused, {len(idle) - len(undeclared)} of them declared"
    )
    if undeclared:
        found += f": {', '.join(undeclared[:3])}"
    problem = "unused parameters stop distributed training" if undeclared else ""
    return [
        network,
        default_map(localizer),
        Finding("DDP-safe", not undeclared, "no undeclared unused parameter", found, problem),
    ]


def default_map(localizer: Localizer) -> Finding:
    """The map that ``--maps attention`` reads is one that the module shows."""
    check, expected = "default map", "one of its maps"
    try:
        return Finding(check, True, expected, localizer.default_map or "no map shown")
    except UserError as error:
        return Finding(check, False, expected, str(error), "default_map names no map of its own")


def one_epoch(recipe: Recipe, images: int = 96, batch: int = 16) -> Finding:
    """Plain classification training over a small clutter, drawn in memory at the input size."""
    pixels, labels = small_clutter(images, recipe.data.input_size)
    localizer = build(recipe).train()
    optimizer = torch.optim.SGD(localizer.parameters(), lr=0.01, momentum=0.9)
    losses = []
    started = time.monotonic()
    for start in range(0, images, batch):
        logits = localizer(pixels[start : start + batch]).logits
        loss = functional.cross_entropy(logits, labels[start : start + batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    seconds = time.monotonic() - started
    finite = bool(np.isfinite(losses).all())
    found = f"{images} images in {seconds:.0f} s, loss {losses[0]:.2f} to {losses[-1]:.2f}"
    problem = "" if finite else "training runs off to a loss that is not finite"
    return Finding(EPOCH, finite, "finite losses", found, problem)


def small_clutter(images: int, size: int) -> tuple[Tensor, Tensor]:
    """Training images of clutter (n, 3, size, size), standardised, and their labels (n,)."""
    from wsol.data.layouts.clutter import Draws, draw_image, sources

    source = sources(0)[0]
    labels = [index % CLUTTER_CLASSES for index in range(images)]
    drawn = [
        draw_image(source, label, size, Draws(0, 0, index))[0] for index, label in enumerate(labels)
    ]
    pixels = torch.from_numpy(np.stack(drawn)).float().div(255).sub(0.4).div(0.25)
    return pixels.unsqueeze(1).expand(-1, 3, -1, -1).contiguous(), torch.tensor(labels)
