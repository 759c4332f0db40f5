"""An attention module at its place, and what it shows of itself."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from wsol.attention.contract import Attended, Maps, channel_mean
from wsol.attention.warps import Warped
from wsol.errors import UserError


class Placed(nn.Module):
    """A stage or block attention at ``place``; it passes features on and keeps the module's own maps.

    ``theta`` (N, 2, 3) is how the module has warped them in the last pass, None where it has not.
    ``maps`` {name: (N, h, w)} are those of the last forward pass, named by the place, and by
    ``<place>.<key>`` where the module shows several. ``UserError`` where the module changes the shape
    of the features.
    """

    def __init__(self, module: nn.Module, place: str) -> None:
        super().__init__()
        self.module = module
        self.place = place
        self.maps: dict[str, Tensor] = {}
        self.theta: Tensor | None = None

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, C, h, w) -> (N, C, h, w)."""
        result = self.module(features)
        maps: Maps = {}
        self.theta = None
        if isinstance(result, Warped):
            result, maps, self.theta = result
        elif isinstance(result, Attended):
            result, maps = result
        self._check(features, result)
        self.maps = named_maps(self.place, maps)
        return result

    def __getstate__(self) -> dict[str, object]:
        # Maps belong to the graph of the last call, which cannot be copied or sent to another process.
        return {**self.__dict__, "maps": {}, "theta": None}

    def _check(self, features: Tensor, result: object) -> None:
        name = type(self.module).__name__
        if not isinstance(result, Tensor):
            raise UserError(
                f"{name} at {self.place} returns {type(result).__name__}, not features or Attended"
            )
        if result.shape != features.shape:
            raise UserError(
                f"{name} at {self.place} changes the shape of the features: expected "
                f"{tuple(features.shape)} (N, C, h, w), found {tuple(result.shape)}"
            )


def named_maps(place: str, maps: Maps) -> dict[str, Tensor]:
    """Maps (N, h, w) or (N, C, h, w) as {name: (N, h, w)}; ``UserError`` for another rank."""
    several = maps if isinstance(maps, Mapping) else {"": maps}
    named = {}
    for key, attention in several.items():
        name = f"{place}.{key}" if key else place
        if attention.dim() not in (3, 4):
            raise UserError(
                f"attention map {name} has shape {tuple(attention.shape)}: "
                "expected (N, h, w) or (N, C, h, w)"
            )
        named[name] = channel_mean(attention)
    return named
