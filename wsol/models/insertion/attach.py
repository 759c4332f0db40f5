"""Attention is put into a network, or becomes its head, as the module's class says."""

from __future__ import annotations

from functools import partial

from torch import nn

from wsol.attention import ATTENTION
from wsol.attention.contract import (
    GLOBAL,
    HEAD,
    INPUT,
    check_is_module,
    check_options,
    gated_by,
    insertion_of,
)
from wsol.errors import UserError, blamed_on
from wsol.models.backbone import Backbone
from wsol.models.insertion.feedback import insert_feedback
from wsol.models.insertion.feedback_block import FeedbackBlock
from wsol.models.insertion.inside_stages import insert_in_head, insert_inside
from wsol.models.insertion.placement import insert_gates, with_blocks
from wsol.models.insertion.places import places_of
from wsol.models.placed import Placed
from wsol.models.tapped_head import TappedHead
from wsol.recipe import AttentionSettings


def attach(
    backbone: Backbone, settings: AttentionSettings, num_classes: int
) -> tuple[dict[str, Placed | FeedbackBlock], TappedHead | None]:
    """Put the module where its class says; returns the wrappers by place, and the head it may be."""
    if settings.name == "none":
        return {}, None
    module_class = ATTENTION.get(settings.name)
    check_is_module(settings.name, module_class)
    check_options(module_class, settings.options)
    places = places_of(backbone, settings, module_class)
    with blamed_on(f"{settings.label} cannot be built"):
        return _built(backbone, settings, module_class, places, num_classes)


def attach_in_head(head: nn.Module, settings: AttentionSettings) -> dict[str, Placed]:
    """The wrapper of attention inside the head, where `HEAD` is asked for."""
    if HEAD not in settings.at:
        return {}
    make = partial(ATTENTION.get(settings.name), **settings.options)
    with blamed_on(f"{settings.label} cannot be built"):
        return {HEAD: insert_in_head(head, HEAD, make)}


def _built(
    backbone: Backbone,
    settings: AttentionSettings,
    module_class: type[nn.Module],
    places: list[str],
    num_classes: int,
) -> tuple[dict[str, Placed | FeedbackBlock], TappedHead | None]:
    insertion = insertion_of(module_class)
    placed: dict[str, Placed | FeedbackBlock] = {}
    if insertion == "head":
        return placed, _tapped_head(backbone, module_class, settings, places, num_classes)
    if insertion == "feedback":
        stages = {stage: [f"stages.{stage}"] for stage in backbone.stages}
        placed |= insert_feedback(backbone, stages, module_class, places, **settings.options)
    elif insertion == "block":
        make = partial(module_class, **settings.options)
        if not settings.at:
            # A default of every stage means those that have blocks: MobileNetV3's stage2 has none.
            places = with_blocks(backbone, places)
        placed |= insert_gates(backbone, places, gated_by(module_class), make)
    else:
        make = partial(module_class, **settings.options)
        for place in places:
            if place == HEAD:
                continue  # there is no head yet
            if "." in place:
                placed[place] = insert_inside(backbone, place, make)
            else:
                channels = 3 if place == INPUT else backbone.stage_channels[place]
                placed[place] = Placed(make(channels), place)
    return placed, None


def _tapped_head(
    backbone: Backbone,
    module_class: type[nn.Module],
    settings: AttentionSettings,
    taps: list[str],
    num_classes: int,
) -> TappedHead:
    if inside := [tap for tap in taps if tap not in backbone.stages]:
        raise UserError(
            f"{module_class.__name__} taps whole stages of {backbone.name}, not {inside[0]}: there are "
            f"{', '.join(backbone.stages)}"
        )
    channels = {tap: backbone.stage_channels[tap] for tap in taps}
    has_global = list(backbone.stages)[-1] not in taps
    if has_global:
        channels[GLOBAL] = backbone.out_channels
    return TappedHead(
        module_class(channels, num_classes, **settings.options), taps, has_global=has_global
    )
