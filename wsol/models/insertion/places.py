"""Where attention goes in a network: as asked, or by the default of its class."""

from __future__ import annotations

import math
import re

from torch import nn

from wsol.attention.contract import HEAD, INPUT, default_places, insertion_of
from wsol.errors import UserError
from wsol.models.backbone import Backbone
from wsol.recipe import AttentionSettings


def places_of(
    backbone: Backbone, settings: AttentionSettings, module_class: type[nn.Module]
) -> list[str]:
    """Where the attention goes, shallow first: as asked, or by the class's default."""
    asked = settings.at or _defaults(backbone, module_class)
    for place in (INPUT, HEAD):
        if place in asked and insertion_of(module_class) != "stage":
            kind = module_class.__name__
            raise UserError(f"{kind} cannot go to the {place}: only modules of a stage can")
    places = dict.fromkeys(_resolve(backbone, place) for place in asked)
    order = [INPUT, *backbone.stages, HEAD]

    def depth(place: str) -> tuple[int, float]:
        stage, _, number = place.partition(".")
        return order.index(stage), int(number) if number.isdigit() else math.inf

    return sorted(places, key=depth)


def _defaults(backbone: Backbone, module_class: type[nn.Module]) -> list[str]:
    """The class's own places. Their numbers speak of five stages: fewer are counted from the end.

    A network of one stage (ViT) has the last one, and no second last.
    """
    deepest = re.fullmatch(r"stage(\d)", backbone.numbered[-1])
    lacking = 5 - int(deepest[1]) if deepest else 0
    places = [
        re.sub(r"^stage(\d)", lambda stage: f"stage{int(stage[1]) - lacking}", place)
        for place in default_places(module_class)
    ]
    from_end = [str(-number) for number in range(1, len(backbone.numbered) + 1)]
    there = {*from_end, INPUT, *backbone.stages}
    present = [place for place in places if place.partition(".")[0] in there]
    if not present:
        raise UserError(
            f"{module_class.__name__} goes to {', '.join(places)}, but backbone {backbone.name} has "
            f"{', '.join(backbone.stages)}: choose attention.at"
        )
    return present


def _resolve(backbone: Backbone, place: str) -> str:
    if place in (INPUT, HEAD):
        return place
    stage, dot, block = place.partition(".")
    return backbone.resolve(stage) + dot + block
