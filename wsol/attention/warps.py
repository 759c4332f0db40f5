"""Attention that moves: features sampled anew at other places, and the way back to the image.

A warp is theta (N, 2, 3), from places in its output to places in its input, both from -1 to 1 over the
whole side (``align_corners=False``): input = A output + b. Places are computed in float32 whatever the
network is trained in: bf16 knows no place between 127/128 and 1, a pixel and a half of 224.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from wsol.attention.contract import Maps


class Warped(NamedTuple):
    """Features (N, C, h, w) that were sampled at other places, the module's own maps, and the warp."""

    features: Tensor
    attention: Maps
    theta: Tensor


def in_float32(x: Tensor) -> AbstractContextManager[object]:
    """Within the context what is computed on the device of ``x`` is not brought to another precision."""
    # Shapes alone (meta) have no autocast.
    return nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False)


def warped(x: Tensor, theta: Tensor) -> Tensor:
    """``x`` (N, C, h, w) sampled where theta (N, 2, 3) says; zeros outside."""
    with in_float32(x):
        grid = functional.affine_grid(theta.float(), list(x.shape), align_corners=False)
        exact = torch.promote_types(x.dtype, torch.float32)
        sampled = functional.grid_sample(x.to(exact), grid.to(exact), align_corners=False)
    return sampled.to(x.dtype)


def composed(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """The warp from the output of ``second`` to the input of ``first``, which comes before it."""
    if first is None or second is None:
        return second if first is None else first
    with in_float32(first):
        matrix = first[:, :, :2] @ second[:, :, :2]
        shift = first[:, :, :2] @ second[:, :, 2:] + first[:, :, 2:]
        return torch.cat([matrix, shift], dim=2)


def pulled_back(maps: Tensor, theta: Tensor | None) -> Tensor:
    """Maps (N, K, h, w) or (N, h, w) of warped features, as they lie in what was warped.

    Outside the window each map has its own minimum: with zeros there, what a class map says no to would
    lie below what it never saw.
    """
    if theta is None:
        return maps
    several = maps if maps.dim() == 4 else maps.unsqueeze(1)
    grid = _grid_back(theta, several.shape[2:])
    sampled = functional.grid_sample(
        several.float(), grid, padding_mode="border", align_corners=False
    ).to(maps.dtype)
    seen = (grid.abs() <= 1).all(dim=3)[:, None]
    found = torch.where(seen, sampled, several.amin(dim=(2, 3), keepdim=True))
    return found if maps.dim() == 4 else found[:, 0]


def inside(theta: Tensor, size: Sequence[int]) -> Tensor:
    """Whether the middle of each of h x w places lies in the window: (N, h, w) bool."""
    return (_grid_back(theta, size).abs() <= 1).all(dim=3)


def _grid_back(theta: Tensor, size: Sequence[int]) -> Tensor:
    """Of each of h x w places the place in the warp's output, (N, h, w, 2)."""
    shape = [len(theta), 1, *size]
    with in_float32(theta):
        return functional.affine_grid(inverse(theta.float()), shape, align_corners=False)


def inverse(theta: Tensor) -> Tensor:
    """The warp the other way; of one that sees no area at all the pseudo-inverse."""
    with in_float32(theta):
        matrix = torch.linalg.pinv(theta[:, :, :2])
        return torch.cat([matrix, -matrix @ theta[:, :, 2:]], dim=2)


def boxes_of(theta: Tensor) -> Tensor:
    """The box around each window, (N, 4) x0, y0, x1, y1 in shares of the image's sides, from 0 to 1."""
    reach = theta[:, :, :2].abs().sum(dim=2)
    centre = theta[:, :, 2]
    ends = torch.cat([centre - reach, centre + reach], dim=1)
    return ((ends + 1) / 2).clamp(0, 1)
