"""A network that is no chain of modules as one stage: all of it but its classifier."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from wsol.errors import UserError
from wsol.models.networks.tokens.followed import Followed
from wsol.models.networks.tokens.layouts import TOKENS, layout_of, prefix_of, to_maps
from wsol.models.networks.tokens.sides import wrong_side
from wsol.models.networks.tokens.stage import Aside, TokenStage, split
from wsol.models.networks.tokens.token_network import TokenNetwork, described

# Where a network keeps its blocks.
BLOCKS = ("blocks",)


class WholeNetwork(TokenStage):
    """Images (N, 3, H, W) to the maps that ``forward_features`` gives, prefix tokens aside.

    A network at one stride has one stage by the rule that names stages by strides: every block of a
    ViT/16 is in ``stage4``, and ``stage4.7`` is the place after its eighth. The library's own forward
    pass runs, so class tokens, position embeddings, rotations and biases are where it has them.

    Args:
        trunk: the library's network without its classifier.
        prefix: number of tokens that come before those of the grid.
        grid: (h, w) of the last maps.
    """

    def __init__(self, trunk: nn.Module, prefix: int, grid: tuple[int, int], layout: str) -> None:
        super().__init__()
        self.trunk = trunk
        self.prefix, self.grid, self.layout = prefix, grid, layout

    def forward(self, x: Tensor, aside: Aside | None = None) -> Tensor:
        """Maps (N, C, h, w), after the network's final norm where it has one before its pooling."""
        trunk: Any = self.trunk
        beside, features = split(read(trunk, x), self.prefix)
        if aside is not None:
            aside.prefix = beside
        return to_maps(features, self.layout, self.grid if self.layout == TOKENS else None)

    def followed(self, inner: nn.Module, after: nn.Module, length: int) -> Followed:
        """A block of ``blocks`` that gives ``length`` tokens, and a module over maps after it."""
        # A class token may come in late (ConViT): the block has those prefix tokens that are left over.
        return Followed(inner, after, TOKENS, prefix_of(length, self.grid), self.grid)

    @contextmanager
    def maps_before_last_block(self) -> Iterator[nn.Module]:
        """Within the context a module gives the maps that go into the last block; it changes nothing."""
        path = list(self.blocks())[-2]
        inner, maps = self.get_submodule(path), nn.Identity()
        self.set_submodule(path, self.followed(inner, maps, self.prefix + self.grid[0] * self.grid[1]))
        try:
            yield maps
        finally:
            self.set_submodule(path, inner)

    def blocks(self) -> dict[str, nn.Module]:
        """The blocks of tokens of the last maps' grid, by their paths here, in order; or none."""
        name = next((name for name in BLOCKS if hasattr(self.trunk, name)), "")
        found = getattr(self.trunk, name, None)
        if self.layout != TOKENS or not isinstance(found, nn.Sequential | nn.ModuleList):
            return {}
        return {f"trunk.{name}.{number}": block for number, block in enumerate(found)}


def trunk_of(network: nn.Module, classifier: Collection[str]) -> nn.Module:
    """The network, its modules and parameters shared, without the children named ``classifier``."""
    kept = [*network._parameters, *network._buffers, *network._modules]
    return part_of(network, [name for name in kept if name not in classifier])


def part_of(network: nn.Module, names: Collection[str]) -> nn.Module:
    """The network with those of its children, parameters and buffers only, which are shared."""
    part = copy.copy(network)
    for held in ("_parameters", "_buffers", "_modules"):
        own = network.__dict__[held]
        part.__dict__[held] = {name: value for name, value in own.items() if name in names}
    return part


# Networks whose ``forward_features`` gives something else than maps: how to get those from it.
READERS: dict[str, Callable[[Any, Tensor], Tensor]] = {
    # Hiera's tokens stand in the order of its windows; the maps that it shows on request do not.
    "timm.models.hiera:Hiera": lambda trunk, x: trunk.forward_features(x, return_intermediates=True)[1][
        -1
    ],
}


def read(trunk: Any, x: Tensor) -> Tensor:
    """The network's features, as tokens or maps."""
    kind = type(trunk)
    reader = READERS.get(f"{kind.__module__}:{kind.__name__}")
    return reader(trunk, x) if reader else trunk.forward_features(x)


def whole_network(name: str, network: Any, classifier: Collection[str], side: int) -> WholeNetwork:
    """The network as one stage; ``UserError`` where its features are no maps."""
    shape, called = feature_shape(name, network, classifier, side)
    # Some give the name of a classifier to a part of their features.
    trunk: Any = trunk_of(network, [child for child in classifier if child not in called])
    try:
        layout = layout_of(shape)
    except UserError as error:
        raise UserError(f"backbone {name}: its {error}") from None
    if layout != TOKENS:
        height = shape[1 if layout != "channels first" else 2]
        return WholeNetwork(trunk, 0, (height, height), layout)
    grid = _grid_of(network)
    prefix = getattr(network, "num_prefix_tokens", None)
    if prefix is None or grid is None or prefix + grid[0] * grid[1] != shape[1]:
        prefix, grid = prefix_of(shape[1], None), None
    edge = round((shape[1] - prefix) ** 0.5)
    return WholeNetwork(trunk, prefix, grid or (edge, edge), layout)


def token_network(network: Any, stage: WholeNetwork, side: int) -> TokenNetwork | None:
    """What it is made of; None where it has no list of blocks at one stride."""
    blocks = stage.blocks().values()
    return described(network, blocks, stage.prefix, side, stage.grid) if blocks else None


@torch.no_grad()
def feature_shape(
    name: str, network: Any, children: Collection[str], side: int
) -> tuple[torch.Size, set[str]]:
    """The shape of ``forward_features`` of one image, and which ``children`` it calls."""
    meta = _shapes_only(network).eval()
    called: set[str] = set()
    for child, module in meta.named_children():
        if child in children:
            module.register_forward_pre_hook(lambda _, __, child=child: called.add(child))
    try:
        features = read(meta, torch.empty(1, 3, side, side, device="meta"))
    # Each network has its own word for a side that it does not take; an operator that cannot run on the
    # meta device says NotImplementedError.
    except (RuntimeError, AssertionError, ValueError, NotImplementedError) as error:
        raise wrong_side(name, network, side, error) from error
    if not isinstance(features, Tensor):
        kind = type(features).__name__
        raise UserError(f"backbone {name} gives a {kind} of features, not one tensor: it has no one map")
    return features.shape, called


def _shapes_only(network: nn.Module) -> Any:
    """A copy on the meta device; the network's own tensors are never copied."""
    memo: dict[int, Any] = {}
    for tensor in (*network.parameters(), *network.buffers()):
        empty = tensor.detach().to("meta")
        memo[id(tensor)] = nn.Parameter(empty) if isinstance(tensor, nn.Parameter) else empty
    return copy.deepcopy(network, memo).to("meta")


def _grid_of(network: Any) -> tuple[int, int] | None:
    grid = getattr(getattr(network, "patch_embed", None), "grid_size", None)
    return (int(grid[0]), int(grid[1])) if grid else None
