"""What methods and heads take from class maps: those of a label, stretched."""

from __future__ import annotations

import torch
from torch import Tensor


def of_classes(class_maps: Tensor | None, labels: Tensor) -> Tensor:
    """Of maps (N, K, h, w) each image's map (N, h, w) of its label (N,)."""
    assert class_maps is not None
    return class_maps[torch.arange(len(labels), device=labels.device), labels]


def stretched(maps: Tensor) -> Tensor:
    """Maps (..., h, w) over [0, 1] each; a constant map is 0."""
    low, high = maps.amin(dim=(-2, -1), keepdim=True), maps.amax(dim=(-2, -1), keepdim=True)
    return (maps - low) / (high - low).clamp_min(torch.finfo(maps.dtype).tiny)
