"""Which network of the catalogue a file's tensors belong to, by their shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import torch
from torch import Tensor

from wsol.models.networks.by_name import LTPA_NETWORKS, create_network
from wsol.models.networks.catalogue import BACKBONES

# Twice what two tables share over what they hold: a classifier of other classes may differ.
ALIKE = 0.95


def nearest_backbone(state: Mapping[str, Tensor]) -> str:
    """The name in the catalogue whose tensors have nearly all these shapes; empty where none has."""
    shapes = Counter(tuple(value.shape) for value in state.values() if value.dim())
    if not shapes:
        return ""
    scores = {name: _alike(shapes, _shapes_of(name)) for name in BACKBONES if name not in LTPA_NETWORKS}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] >= ALIKE else ""


def _shapes_of(name: str) -> Counter[tuple[int, ...]]:
    with torch.device("meta"):
        network = create_network(name, {})
    return Counter(tuple(value.shape) for value in network.state_dict().values() if value.dim())


def _alike(one: Counter[tuple[int, ...]], other: Counter[tuple[int, ...]]) -> float:
    return 2 * (one & other).total() / (one.total() + other.total())
