"""A chain of modules that hold their maps in several ways: with channels first or last, or as tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from wsol.errors import UserError
from wsol.models.networks.tokens.layouts import FIRST, LAST, TOKENS, from_maps, layout_of, to_maps

# What a module says to maps that it cannot take.
WRONG_LAYOUT = (RuntimeError, ValueError, AssertionError, IndexError, TypeError, AttributeError)


class Link(NamedTuple):
    """One module of a chain: the layouts that it takes and gives, and its maps' channels and height."""

    module: nn.Module
    takes: str
    gives: str
    channels: int
    height: int


class MixedStage(nn.Sequential):
    """Links of a chain as a stage: maps (N, C, h, w) in, maps out, other layouts between."""

    def __init__(self, links: Sequence[Link]) -> None:
        super().__init__(*(link.module for link in links))
        self.layouts = [(link.takes, link.gives) for link in links]

    def forward(self, x: Tensor) -> Tensor:
        """Maps of the last link."""
        held = FIRST
        for module, (takes, gives) in zip(self, self.layouts, strict=True):
            x = module(relaid(x, held, takes))
            held = gives
        return to_maps(x, held)


def relaid(x: Tensor, held: str, wanted: str) -> Tensor:
    """``x`` from one layout in another; in memory too, since many modules take views of it."""
    return x if held == wanted else from_maps(to_maps(x, held), wanted).contiguous()


def stage_of(links: Sequence[Link]) -> nn.Sequential:
    """The links as one module; those that hold maps as they come and go are a plain chain."""
    if all(link.takes == link.gives == FIRST for link in links):
        return nn.Sequential(*(link.module for link in links))
    return MixedStage(links)


@torch.no_grad()
def links_of(chain: Mapping[str, nn.Module], side: int) -> dict[str, Link]:
    """Each module's layouts, found by its shapes for one image of ``side`` pixels.

    A module gets what the one before gives, and where it cannot take that the other layouts in turn.
    ``UserError`` where a module takes none, or gives something that is no map.
    """
    x, held = torch.empty(1, 3, side, side, device="meta"), FIRST
    links = {}
    for name, module in chain.items():
        for takes in dict.fromkeys((held, FIRST, LAST, TOKENS)):
            try:
                found = shape_call(module, relaid(x, held, takes))
            except WRONG_LAYOUT as error:
                refusal = error
                continue
            break
        else:
            raise UserError(f"{name} takes no maps ({' '.join(str(refusal).split())})")
        if not isinstance(found, Tensor):
            raise UserError(f"{name} gives a {type(found).__name__}, not maps")
        x, held = found, layout_of(found.shape, held)
        maps = to_maps(x, held)
        links[name] = Link(module, takes, held, maps.shape[1], maps.shape[2])
    return links


def shape_call(module: nn.Module, *given: object) -> Tensor:
    """What the module gives for inputs on the meta device, in evaluation; nothing is computed."""
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    training = module.training
    module.eval()
    try:
        return torch.func.functional_call(
            module, {name: tensor.to("meta") for name, tensor in tensors.items()}, given
        )
    finally:
        module.train(training)
