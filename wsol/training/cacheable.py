"""Whether a recipe's head can be trained on features that are computed once."""

from __future__ import annotations

from wsol.attention.contract import HEAD
from wsol.errors import UserError
from wsol.methods.contract import TrainingMethod
from wsol.models.localizer import Localizer
from wsol.models.tapped_head import TappedHead
from wsol.recipe import Recipe

KEY = "training.cache_features"


def refuse_uncacheable(recipe: Recipe, method: TrainingMethod) -> None:
    """``UserError`` where `training.cache_features` is set, but the features of an image may change.

    That is where the network is trained, an image is shown in another way each time, or a method or a
    head asks for more than the last features.
    """
    if not recipe.training.cache_features:
        return
    finding = _of_recipe(recipe) or _of_method(recipe, method) or _of_network(method.localizer)
    if finding:
        raise UserError(f"{KEY}: {finding}")


def _of_recipe(recipe: Recipe) -> str:
    data, training = recipe.data, recipe.training
    if not training.freeze:
        return "the network is trained, and its features change with it: set training.freeze backbone"
    if training.head_from:
        return f"the stages from {training.head_from} on are trained: leave out training.head_from"
    if data.flip or data.resize_size != data.input_size:
        return (
            "the features of an image are kept as it is, without crop and flip: set data.resize_size "
            f"{data.input_size} (data.input_size) and data.flip false"
        )
    return ""


def _of_method(recipe: Recipe, method: TrainingMethod) -> str:
    # A subclass with a step of its own has to say it anew.
    owner = next(kind for kind in type(method).__mro__ if "step" in vars(kind))
    if vars(owner).get("from_features", False):
        return ""
    return (
        f"method {recipe.method.name} changes the images, or asks the network for more than its last "
        "features (its class does not say from_features = True): leave out one of the two"
    )


def _of_network(localizer: Localizer) -> str:
    backbone, head = localizer.backbone, localizer.head
    if list(backbone.stages)[-1] != backbone.last_maps:
        return f"the head reads {list(backbone.stages)[-1]} too, and {backbone.last_maps} alone is kept"
    inside = [place for place in localizer.placed if place not in (backbone.last_maps, HEAD)]
    if inside:
        return (
            f"attention at {', '.join(inside)} is trained inside the network, before its last features: "
            f"choose attention.at {backbone.last_maps}"
        )
    taps = head.taps if isinstance(head, TappedHead) else ()
    before = [tap for tap in taps if tap != backbone.last_maps]
    if before:
        return f"the head reads {', '.join(before)} too, and {backbone.last_maps} alone is kept"
    return ""
