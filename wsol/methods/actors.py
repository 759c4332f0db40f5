"""The actors of a localizer: the modules whose gates a critic judges, and what it sees of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from wsol.attention.decisions import mean_of, observed
from wsol.errors import UserError
from wsol.models.localizer import Localizer

GRID = 4  # a map is seen as its means over 4 x 4 cells


class Watching:
    """An observer that keeps, of every actor, what a critic may see; the gates themselves stay.

    Features are detached: what is said of them trains no network below them. Gates are not.
    """

    def __init__(self) -> None:
        self.views: dict[nn.Module, list[Tensor]] = {}

    def seen(self, module: nn.Module, gate: Tensor, features: Tensor) -> Tensor:
        """Keep the means of the features' channels, and those of the gate."""
        views = self.views.setdefault(module, [features.detach().mean(dim=(2, 3))])
        views += [view.float() for view in _views(gate)]
        return gate

    def states(self, actors: Sequence[nn.Module]) -> list[Tensor]:
        """What each of the actors showed, (N, its own size) float32."""
        return [torch.cat([view.float() for view in self.views[one]], dim=1) for one in actors]


class Silencing:
    """An observer that puts the mean in the place of an actor's gates, in the images where it should.

    ``silent`` holds, of each actor, the images (N,) bool in which every gate of it is its mean.
    """

    def __init__(self, silent: Mapping[nn.Module, Tensor]) -> None:
        self.silent = silent

    def seen(self, module: nn.Module, gate: Tensor, features: Tensor) -> Tensor:
        """The gate, its mean where the module is silent."""
        if module not in self.silent:
            return gate
        here = self.silent[module].view(-1, *[1] * (gate.dim() - 1))
        return torch.where(here, mean_of(gate), gate)


@dataclass(frozen=True)
class Actors:
    """The modules that decide, in the order of a forward pass.

    Attributes:
        modules: as a forward pass meets them.
        names: where they stand, ``stage3.0``; of LTPA the stage that is tapped.
        sizes: of what a critic sees of each.
        owners: the attention modules that they are, or are parts of.
    """

    modules: tuple[nn.Module, ...]
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    owners: tuple[nn.Module, ...]

    @classmethod
    def of(cls, localizer: Localizer) -> Actors:
        """Found by one forward pass of a black image.

        Raises:
            UserError: there is no attention, none that decides by a gate or map, none with parameters.
        """
        owners = localizer.attention_modules
        if not owners:
            raise UserError(
                "method dreal judges attention, and this recipe has none: name one, as in --attention se"
            )
        watching = Watching()
        parameter = next(localizer.parameters())
        side = localizer.input_size
        with torch.no_grad(), evaluating(localizer), observed(watching):
            localizer(parameter.new_zeros(1, 3, side, side))
        found = tuple(watching.views)
        kind = type(owners[-1]).__name__
        if not found:
            raise UserError(
                f"method dreal: attention {kind} passes no gate or map through "
                "wsol.attention.decisions.decide, so there is nothing to judge: se, cbam, rfga, tdam "
                "and ltpa do"
            )
        if not any(True for owner in owners for _ in owner.parameters()):
            raise UserError(
                f"method dreal: attention {kind} has no parameters, so no critic can teach it anything"
            )
        sizes = tuple(state.shape[1] for state in watching.states(found))
        names = tuple(_name(localizer, module) for module in found)
        return cls(found, names, sizes, tuple(owners))

    def parameters(self) -> list[nn.Parameter]:
        """Of the attention modules, each once: what a critic's word trains, where it reaches it."""
        own = (parameter for owner in self.owners for parameter in owner.parameters())
        return [parameter for parameter in dict.fromkeys(own) if parameter.requires_grad]

    def silent_in_turn(self, copies: Sequence[int], images: int, device: torch.device) -> Silencing:
        """For ``images`` images, once for each of ``copies``.

        In copy 0 all actors speak, in copy l + 1 actor l is silent.
        """
        silent = torch.zeros(len(self.modules), len(copies), images, dtype=torch.bool, device=device)
        for place, number in enumerate(copies):
            if number:
                silent[number - 1, place] = True
        return Silencing(dict(zip(self.modules, silent.flatten(1), strict=True)))


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Within the context all parts are in evaluation mode: no statistics move, nothing is dropped."""
    before = {part: part.training for part in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for part, training in before.items():
            part.training = training


def _views(gate: Tensor) -> list[Tensor]:
    """A gate as vectors (N, d): a value a channel where there are several, one a cell of its places."""
    if gate.dim() == 3:
        gate = gate.unsqueeze(1)
    views = []
    if gate.shape[1] > 1:
        views.append(gate.mean(dim=(2, 3)))
    if gate.shape[2] > 1 or gate.shape[3] > 1:
        places = gate.mean(dim=1, keepdim=True).float()
        views.append(functional.adaptive_avg_pool2d(places, GRID).flatten(1))
    return views or [gate.flatten(1)]


def _name(localizer: Localizer, module: nn.Module) -> str:
    """The place where the module stands; of a part of the head, what the head calls it."""
    for place, wrapper in localizer.placed.items():
        if any(part is module for part in wrapper.modules()):
            return place
    return next(name for name, part in localizer.named_modules() if part is module).split(".")[-1]
