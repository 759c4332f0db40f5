"""The parameter-matched control: counts by hand, and an identity at the start."""

import pytest
import torch

from wsol.attention.plain import Plain
from wsol.attention.rfga import RFGA


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("channels", [16, 96, 512])
def test_as_many_parameters_as_rfga_within_half_a_unit_of_width(channels):
    assert abs(count(Plain(channels)) - count(RFGA(channels))) <= channels + 1


def test_parameters_asked_for():
    module = Plain(8, parameters=100)
    assert module.reduce.out_channels == 6  # 100 / 18 = 5.6
    assert count(module) == 6 * 18


def test_identity_at_the_start_and_local_ever_after():
    module = Plain(4, parameters=60).eval()
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(module(x), x)
    torch.nn.init.normal_(module.expand.weight)
    moved = x.clone()
    moved[:, :, 0, 0] += 1
    changed = (module(moved) - module(x)).abs().sum(1) > 0
    assert changed[:, 0, 0].all()
    assert changed.sum() == 2
