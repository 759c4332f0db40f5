"""Frozen networks: the backbone stays as its weights are, and attention and head alone are trained."""

from __future__ import annotations

from torch import nn

from wsol.errors import UserError, suggest
from wsol.methods.contract import TrainingMethod
from wsol.progress import say
from wsol.recipe import Recipe

PARTS = ("backbone",)


def freeze(recipe: Recipe, method: TrainingMethod) -> None:
    """Freeze what ``training.freeze`` names, and say how many parameters are left to train.

    Stages from ``training.head_from`` on count as head. ``UserError`` for a part that cannot be frozen.
    """
    training, localizer = recipe.training, method.localizer
    if not training.freeze:
        return
    if training.freeze not in PARTS:
        near = suggest(training.freeze, PARTS)
        raise UserError(f"training.freeze is {training.freeze!r}{near or ': there is backbone'}")
    backbone = localizer.backbone
    stages = list(backbone.stages)
    if training.head_from:
        stages = stages[: stages.index(backbone.resolve(training.head_from))]
    backbone.freeze(stages, localizer.attention_parts)
    if localizer.as_drawn and recipe.weights.name == "none" and not recipe.weights.file:
        say(f"training.freeze: {backbone.name} is frozen as it was drawn at random: no weights fill it")
    say(
        f"training.freeze: {trained_parameters(method):,} of "
        f"{sum(one.numel() for one in method.parameters()):,} parameters are trained"
    )


def trained_parameters(module: nn.Module) -> int:
    """How many parameters get a gradient."""
    return sum(one.numel() for one in module.parameters() if one.requires_grad)
