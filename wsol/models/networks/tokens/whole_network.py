"""A network that is no chain of modules as one stage: all of it but its classifier."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from wsol.errors import UserError
from wsol.models.networks.tokens.followed import Followed
from wsol.models.networks.tokens.layouts import TOKENS, layout_of, prefix_of, to_maps
from wsol.models.networks.tokens.stage import Aside, TokenStage
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
        features = trunk.forward_features(x)
        if self.prefix and aside is not None:
            aside.prefix = features[:, : self.prefix]
        if self.prefix:
            features = features[:, self.prefix :]
        return to_maps(features, self.layout, self.grid if self.layout == TOKENS else None)

    def followed(self, inner: nn.Module, after: nn.Module) -> Followed:
        """A block of ``blocks`` and a module over maps after it."""
        return Followed(inner, after, self.layout, self.prefix, self.grid)

    def blocks(self) -> dict[str, nn.Module]:
        """The blocks of tokens of the last maps' grid, by their paths here, in order; or none."""
        name = next((name for name in BLOCKS if hasattr(self.trunk, name)), "")
        found = getattr(self.trunk, name, None)
        if self.layout != TOKENS or not isinstance(found, nn.Sequential | nn.ModuleList):
            return {}
        return {f"trunk.{name}.{number}": block for number, block in enumerate(found)}


def trunk_of(network: nn.Module, classifier: tuple[str, ...]) -> nn.Module:
    """The network with the same modules and parameters, but without the children named ``classifier``."""
    trunk = copy.copy(network)
    for kept in ("_parameters", "_buffers", "_modules"):
        trunk.__dict__[kept] = dict(network.__dict__[kept])
    for child in classifier:
        trunk._modules.pop(child, None)
    return trunk


def whole_network(name: str, network: Any, classifier: tuple[str, ...], side: int) -> WholeNetwork:
    """The network as one stage; ``UserError`` where its features are no maps."""
    trunk: Any = trunk_of(network, classifier)
    shape = feature_shape(name, trunk, side)
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
def feature_shape(name: str, trunk: Any, side: int) -> torch.Size:
    """The shape of ``forward_features`` of one image; nothing is computed."""
    was = trunk.training
    meta = copy.deepcopy(trunk).to("meta").eval()
    try:
        features = meta.forward_features(torch.empty(1, 3, side, side, device="meta"))
    except (RuntimeError, AssertionError, ValueError, NotImplementedError) as error:
        raise UserError(
            f"backbone {name} does not take images of {side} pixels ({' '.join(str(error).split())})"
        ) from error
    finally:
        trunk.train(was)
    if not isinstance(features, Tensor):
        kind = type(features).__name__
        raise UserError(f"backbone {name} gives a {kind} of features, not one tensor: it has no one map")
    return features.shape


def _grid_of(network: Any) -> tuple[int, int] | None:
    grid = getattr(getattr(network, "patch_embed", None), "grid_size", None)
    return (int(grid[0]), int(grid[1])) if grid else None
