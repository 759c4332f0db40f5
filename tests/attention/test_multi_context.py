"""Multi-context attention against its equations, position by position."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch

from wsol.attention.multi_context import MultiContextAttention
from wsol.errors import UserError


@pytest.mark.parametrize(
    ("channels", "kernel", "expected"), [(256, 11, 2427), (512, 11, 4731), (4, 1, 39)]
)
def test_parameters_are_the_authors(channels, kernel, expected):
    """9 C + 2 + k^2."""
    module = MultiContextAttention(channels, kernel=kernel)
    assert sum(parameter.numel() for parameter in module.parameters()) == expected


@torch.no_grad()
def slow(module: MultiContextAttention, x: torch.Tensor, rounds: int) -> list[list[float]]:
    """Q of one image, by loops over positions, taps and channels."""
    height, width = x.shape[1:]

    def summed(planes, weight, bias, i, j):
        reach = weight.shape[-1] // 2
        total = float(bias)
        for c, plane in enumerate(planes):
            for a in range(-reach, reach + 1):
                for b in range(-reach, reach + 1):
                    if 0 <= i + a < height and 0 <= j + b < width:
                        total += float(weight[0, c, a + reach, b + reach]) * float(plane[i + a][j + b])
        return total

    def plane_of(value):
        return [[value(i, j) for j in range(width)] for i in range(height)]

    def squashed(planes, i, j):
        second = module.pairwise
        return 1 / (1 + math.exp(-summed(planes, second.weight, second.bias, i, j) - unary[i][j]))

    first = module.unary
    unary = plane_of(lambda i, j: summed(list(x), first.weight, first.bias, i, j))
    context = unary
    for _ in range(rounds):
        context = plane_of(partial(squashed, [context]))
    return context


@pytest.mark.parametrize(("kernel", "rounds"), [(1, 3), (3, 1), (3, 2)])
def test_the_map_is_that_of_the_equations(kernel, rounds):
    torch.manual_seed(0)
    module = MultiContextAttention(3, kernel=kernel, rounds=rounds)
    x = torch.randn(2, 3, 4, 5)
    features, shown = module(x)
    for one in range(2):
        expected = torch.tensor(slow(module, x[one], rounds))
        torch.testing.assert_close(shown[one], expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(features, x * shown[:, None])


@pytest.mark.parametrize("options", [{"kernel": 2}, {"kernel": 0}, {"rounds": 0}])
def test_bad_options_are_named(options):
    with pytest.raises(UserError, match="must be odd"):
        MultiContextAttention(4, **options)
