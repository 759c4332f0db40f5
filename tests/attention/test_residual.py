"""Residual attention against its equations; no reference output exists for it."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from wsol.attention.residual import ResidualAttention
from wsol.errors import UserError


@pytest.mark.parametrize(("depth", "units"), [(1, 1), (2, 1), (3, 2)])
def test_parameters_by_the_units_there_are(depth, units):
    c, h = 64, 16
    # A unit: 1x1, 3x3 and 1x1 convolutions, two values a channel for the norm before each.
    unit = c * h + 9 * h * h + h * c + 2 * (c + h + h)
    gate = 2 * (c * c + 2 * c)
    count = sum(p.numel() for p in ResidualAttention(c, depth=depth, units=units).parameters())
    assert count == (2 * units * depth + (depth - 1)) * unit + gate


def test_a_level_by_hand():
    torch.manual_seed(0)
    module = ResidualAttention(8, depth=2).eval()
    x = torch.randn(2, 8, 9, 6)
    level, inner = module.mask, module.mask.below
    down = level.down(functional.max_pool2d(x, 3, 2, 1))
    assert down.shape == (2, 8, 5, 3)
    deepest = inner.up(inner.down(functional.max_pool2d(down, 3, 2, 1)))
    assert deepest.shape == (2, 8, 3, 2)
    back = functional.interpolate(deepest, (5, 3), mode="bilinear")
    up = functional.interpolate(level.up(level.skip(down) + back), (9, 6), mode="bilinear")
    mask = torch.sigmoid(module.gate(up))
    features, shown = module(x)
    assert list(shown) == ["product", ""]  # the last one is what --maps attention reads
    torch.testing.assert_close(shown[""], mask)
    torch.testing.assert_close(shown["product"], (mask * x).abs())
    torch.testing.assert_close(features, x + mask * x)


def test_the_authors_pooling_has_no_margin_and_rounds_up():
    """By hand on a row: windows 0-2, 2-4 and, over the edge, 4-5; below three positions, all of them."""
    module = ResidualAttention(4, depth=1, pooling="author")
    x = torch.tensor([5.0, 1, 2, 0, 3, 4]).expand(1, 4, 6, 6)
    pooled = module.mask._pooled(x)
    assert pooled.shape == (1, 4, 3, 3) and pooled[0, 0, 0].tolist() == [5, 3, 4]
    assert module.mask._pooled(x[:, :, :2, :2]).shape == (1, 4, 1, 1)
    assert module.eval()(x[:, :, :1, :1]).features.shape == (1, 4, 1, 1)


def test_an_unknown_pooling_is_named():
    with pytest.raises(UserError, match="'author'"):
        ResidualAttention(4, pooling="auther")


def test_a_single_position_still_passes():
    assert ResidualAttention(8).eval()(torch.randn(1, 8, 1, 1)).features.shape == (1, 8, 1, 1)
