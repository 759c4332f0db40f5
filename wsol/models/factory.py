"""A recipe's localizer: the network, its weights, then attention, then the head."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial

from torch import nn

from wsol.attention.contract import INPUT
from wsol.errors import UserError
from wsol.models.backbone import Backbone, as_stages
from wsol.models.class_token_head import ClassTokenHead, class_token_head
from wsol.models.heads import CamHead, build_head, native_head
from wsol.models.insertion.attach import attach, attach_in_head
from wsol.models.localizer import Localizer
from wsol.models.networks.by_name import create_network, probe
from wsol.models.networks.tokens.sides import at_side, wrong_side
from wsol.models.own_classifier import OwnClassifier
from wsol.models.placed import Placed
from wsol.models.tapped_head import TappedHead
from wsol.models.weights.class_keys import class_keys_of, imagenet_keys
from wsol.models.weights.loading import (
    load_localizer_weights,
    load_network_weights,
    read_state,
    tensors_sha256,
)
from wsol.models.weights.weight_formats import FORMATS
from wsol.recipe import BackboneSettings, Recipe


def build_localizer(
    recipe: Recipe,
    num_classes: int,
    class_keys: Sequence[str] = (),
    *,
    load_weights: bool = True,
) -> Localizer:
    """The localizer of ``recipe`` for ``num_classes`` classes.

    Args:
        recipe: its backbone, weights, attention and head are read. Seed torch before.
        num_classes: K; a ``native`` head has its own number and keys.
        class_keys: the classes' keys in the order of the logits.
        load_weights: False leaves pretrained weights out: for a checkpoint that replaces them all.

    Raises:
        UserError: an unknown name, option, stage or stride; weights of another network.
    """
    network = create_network(recipe.backbone.name, recipe.backbone.options)
    _check_input_size(network, recipe)
    native = recipe.head.name in ("native", "classifier")
    loaded = load_network_weights(network, recipe, with_classifier=native) if load_weights else ""
    side = recipe.data.input_size
    again = partial(_again, recipe.backbone)
    network = at_side(recipe.backbone.name, network, side, again, weights=bool(loaded))
    backbone = as_stages(network, recipe.backbone, side)
    _check_features(backbone, network, side)
    # Before attention changes what it reads.
    classifier = recipe.head.name == "classifier"
    own_head = (
        OwnClassifier(network, backbone.name, backbone.with_prefix, backbone.side)
        if classifier
        else None
    )
    own = {one.place: one for one in backbone.modules() if isinstance(one, Placed)}
    placed, tapped = attach(backbone, recipe.attention, num_classes)
    # In the order in which they are met.
    before = {place: one for place, one in placed.items() if place == INPUT}
    placed = {**before, **own, **placed}
    if tapped is not None:
        head: CamHead | ClassTokenHead | OwnClassifier | TappedHead = tapped
    elif own_head is not None:
        head = own_head
        class_keys = _native_keys(head, class_keys)
    elif recipe.head.name == "class_token":
        head = class_token_head(backbone, num_classes)
    elif native:
        backbone.drop_global()
        head = _native_head(recipe, network, backbone, num_classes if not load_weights else 0)
        class_keys = _native_keys(head, class_keys)
    else:
        backbone.drop_global()
        head = build_head(recipe.head, backbone.out_channels, num_classes)
    placed |= attach_in_head(head, recipe.attention)
    localizer = Localizer(backbone, head, placed, class_keys, recipe.data.input_size)
    if load_weights:
        filled = load_localizer_weights(localizer, recipe.weights)
        localizer.as_drawn = _as_drawn(localizer, recipe, set(filled))
        localizer.pretrained_sha256 = loaded or (tensors_sha256(filled) if filled else "")
    return localizer


def _again(settings: BackboneSettings, **options: object) -> nn.Module:
    return create_network(settings.name, {**settings.options, **options})


def _as_drawn(localizer: Localizer, recipe: Recipe, filled: set[str]) -> list[str]:
    """Names of the parameters that no weights have filled, but those that start as identity."""
    names = {id(parameter): name for name, parameter in localizer.named_parameters()}
    groups = {
        part: [names[id(parameter)] for parameter in parameters]
        for part, parameters in localizer.parameter_groups().items()
    }
    if localizer.starts_as_identity:
        groups["attention"] = []
    if recipe.weights.format == "native":
        if recipe.weights.name != "none" or recipe.weights.file:
            groups["backbone"] = []
            if recipe.head.name in ("native", "classifier"):
                groups["head"] = []
        filled = set()
    return [name for part in groups.values() for name in part if name not in filled]


def _check_input_size(network: nn.Module, recipe: Recipe) -> None:
    """LTPA's VGG ends in a linear layer for one size; others take any."""
    own = getattr(network, "input_size", None)
    if own is not None and own != recipe.data.input_size:
        raise UserError(
            f"backbone {recipe.backbone.name} was built for images of {own} pixels, data.input_size is "
            f"{recipe.data.input_size}: set backbone.options.input_size and data.input_size alike"
        )


def _check_features(backbone: Backbone, network: nn.Module, input_size: int) -> None:
    try:
        probe(dict(backbone.stages.items()), input_size)
    except (RuntimeError, AssertionError, ValueError) as error:
        raise wrong_side(backbone.name, network, input_size, error) from error


def _native_head(recipe: Recipe, network: nn.Module, backbone: Backbone, num_classes: int) -> CamHead:
    """The library's own classifier, or the one in a file of another project's format.

    The latter has as many classes as the file says, or ``num_classes`` where that is not 0.
    """
    weights = recipe.weights
    if weights.format == "native":
        return native_head(backbone.name, network, backbone.out_channels)
    known = FORMATS[weights.format]
    if num_classes:
        name = known.heads.get(backbone.name, "cam")
    else:
        name, num_classes = known.own_head(read_state(weights.file, weights.key), backbone.name)
    return build_head(dataclasses.replace(recipe.head, name=name), backbone.out_channels, num_classes)


def _native_keys(head: CamHead | OwnClassifier, class_keys: Sequence[str]) -> Sequence[str]:
    keys = imagenet_keys()
    if head.num_classes == len(keys):
        return keys
    if class_keys and len(class_keys) != head.num_classes:
        raise UserError(
            f"head.name native has {head.num_classes} classes, the data set {len(class_keys)}: "
            "use head.name cam"
        )
    return class_keys or class_keys_of(head.num_classes)
