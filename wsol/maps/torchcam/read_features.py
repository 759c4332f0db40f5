"""The features that a method of torchcam reads: those that go into the head, where it reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from wsol.attention.contract import GLOBAL
from wsol.errors import UserError
from wsol.models.localizer import Localizer
from wsol.models.networks.tokens.whole_network import WholeNetwork


def layers_with_maps(localizer: Localizer) -> list[nn.Module]:
    """The modules whose outputs are the stages' features, attention after them included, shallow first.

    The last one's output goes into the head.
    """
    layers = {stage: module for stage, module in localizer.backbone.stages.items() if stage != GLOBAL}
    attended = {stage: module for stage, module in localizer.stage_attention.items() if stage in layers}
    return list((layers | attended).values())


@contextmanager
def read_features(localizer: Localizer, name: str) -> Iterator[nn.Module]:
    """The module that gives the features to read; ``name`` is the source that reads them.

    A classifier of the class token has no gradient at the last block's patch tokens: there it is those
    that go into that block, from which its attention makes the class token. ``UserError`` where there is
    no such block.
    """
    tokens = localizer.backbone.tokens
    if getattr(localizer.head, "reads_maps", True):
        yield layers_with_maps(localizer)[-1]
        return
    whole = localizer.backbone.stages[localizer.backbone.last_maps]
    if tokens is None or not tokens.is_plain or len(tokens.blocks) < 2:
        raise UserError(
            f"{name}: {localizer.backbone.name} classifies by its class token, so its last maps get no "
            "gradient: take --maps features, or head.name cam and training"
        )
    assert isinstance(whole, WholeNetwork)
    with whole.maps_before_last_block() as maps:
        yield maps
