"""SNES: its rank weights by hand, a generation step by step, and functions with known optima."""

from __future__ import annotations

import math

import pytest
import torch

from wsol.methods.snes import SNES, rank_weights


def test_rank_weights_by_hand():
    """n = 4: ln 3 less ln 1, ln 2, ln 3 and ln 4: 1.0986, 0.4055, 0 and 0, over 1.5041, less 1/4."""
    found = rank_weights(4)
    assert found.tolist() == pytest.approx([0.48043, 0.01957, -0.25, -0.25], abs=1e-4)
    assert rank_weights(31).sum().item() == pytest.approx(0, abs=1e-12)


def test_population_and_rate_are_the_usual_ones():
    search = SNES(torch.zeros(100), 1.0)
    assert search.population == 4 + 13
    assert search.rate == pytest.approx((3 + math.log(100)) / 50)


def test_a_generation_step_by_step():
    search = SNES(torch.tensor([1.0, -2.0]), 0.5, population=4, seed=3)
    points = search.ask()
    drawn = (points - torch.tensor([1.0, -2.0])) / 0.5
    fitness = torch.tensor([0.1, 0.9, -3.0, 0.5])  # ranks 3, 1, 4, 2
    utility = [-0.25, 0.48043, -0.25, 0.01957]
    search.tell(fitness)
    for axis, start in enumerate((1.0, -2.0)):
        moved = sum(u * drawn[k, axis].item() for k, u in enumerate(utility))
        grown = sum(u * (drawn[k, axis].item() ** 2 - 1) for k, u in enumerate(utility))
        assert search.mean[axis].item() == pytest.approx(start + 0.5 * moved, abs=1e-4)
        rate = (3 + math.log(2)) / (5 * math.sqrt(2))
        assert search.width[axis].item() == pytest.approx(0.5 * math.exp(rate / 2 * grown), abs=1e-4)


def test_it_finds_the_top_of_a_quadratic():
    """Of axes of very different steepness, which it learns one by one."""
    top, steep = torch.linspace(-2, 2, 10).double(), torch.logspace(-1, 2, 10).double()
    search = SNES(torch.zeros(10), 1.0, seed=1)
    for _ in range(500):
        points = search.ask()
        search.tell(-(steep * (points - top).square()).sum(dim=1))
    torch.testing.assert_close(search.mean, top, atol=1e-3, rtol=0)
    assert (search.width < 1e-3).all()


def test_another_search_goes_on_from_its_state():
    first, second = SNES(torch.zeros(5), 1.0, seed=7), SNES(torch.ones(5), 3.0, seed=8)
    first.tell(first.ask().square().sum(dim=1))
    second.load_state(first.state())
    assert torch.equal(first.ask(), second.ask())


def test_the_same_seed_asks_the_same():
    first, second = (SNES(torch.zeros(5), 1.0, seed=7).ask() for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, SNES(torch.zeros(5), 1.0, seed=8).ask())
