"""The three ways in which networks hold a grid of vectors, and how to go from one to another."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wsol.errors import UserError

# Channels first (N, C, h, w), channels last (N, h, w, C), and a list of tokens (N, P + h w, C).
FIRST, LAST, TOKENS = "channels first", "channels last", "tokens"


def layout_of(shape: torch.Size, near: str = FIRST) -> str:
    """The layout of a tensor of this shape made from a square image; ``near`` where two would do."""
    if len(shape) == 3:
        return TOKENS
    if len(shape) != 4 or (shape[1] != shape[2] and shape[2] != shape[3]):
        raise UserError(f"features of shape {tuple(shape)} are no maps of a square image")
    if shape[1] == shape[2] == shape[3]:
        return near if near != TOKENS else FIRST
    return LAST if shape[1] == shape[2] else FIRST


def prefix_of(length: int, grid: tuple[int, int] | None = None) -> int:
    """How many of ``length`` tokens come before those of the grid; the largest square without one."""
    return length - (grid[0] * grid[1] if grid else math.isqrt(length) ** 2)


def to_maps(x: Tensor, layout: str, grid: tuple[int, int] | None = None) -> Tensor:
    """Maps (N, C, h, w) of what has this layout; tokens without prefix, of a square grid or ``grid``."""
    if layout == FIRST:
        return x
    if layout == LAST:
        return x.permute(0, 3, 1, 2)
    height, width = grid or (math.isqrt(x.shape[1]),) * 2
    return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], height, width)


def from_maps(x: Tensor, layout: str) -> Tensor:
    """Maps (N, C, h, w) in this layout."""
    if layout == FIRST:
        return x
    return x.permute(0, 2, 3, 1) if layout == LAST else x.flatten(2).transpose(1, 2)
