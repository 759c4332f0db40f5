"""The normalised cut on planted graphs with known answers, and against the generalised problem."""

from __future__ import annotations

import numpy as np
import pytest

from wsol.maps.tokens import normalized_cut
from wsol.maps.tokens.cut import NormalizedCut
from wsol.maps.tokens.normalized_cut import cut, edges, second_eigenvector


def plainly(weights):
    """The second smallest y of (D - W) y = l D y by a general, unsymmetric solver."""
    degrees = np.diag(weights.sum(axis=1))
    values, vectors = np.linalg.eig(np.linalg.inv(degrees) @ (degrees - weights))
    vector = vectors[:, np.argsort(values.real)[1]].real
    return vector / np.sqrt(vector @ degrees @ vector)


def planted(object_places, side=5, channels=8, seed=0):
    """Features (C, side, side): one direction at some places, an opposite one elsewhere."""
    noise = np.random.default_rng(seed).normal(0, 0.02, (channels, side, side))
    features = np.zeros((channels, side, side))
    features[0] = -1
    for row, column in object_places:
        features[0, row, column] = 1
    return features * np.arange(1, side * side + 1).reshape(side, side) + noise


BLOCK = [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_edges_by_hand():
    features = np.array([[1.0, 0], [3, 0], [1, 6], [-2, 0.1]])
    # The cosine of the first and third is 1 / sqrt(37) = 0.164, below 0.2.
    wanted = np.full((4, 4), 1e-5)
    wanted[[0, 0, 1, 1, 2, 3], [0, 1, 0, 1, 2, 3]] = 1
    np.testing.assert_array_equal(edges(features), wanted)
    wanted[[0, 1, 2, 2], [2, 2, 0, 1]] = 1
    np.testing.assert_array_equal(edges(features, tau=0.1), wanted)


def test_two_blocks_are_cut_into_two_values_known_by_hand():
    vector, component = cut(planted(BLOCK))
    # Of 25 patches 4 are alike and 21 are: y is constant on each side, y' D 1 = 0, y' D y = 1.
    volumes = np.array([4 * (4 + 21e-5), 21 * (21 + 4e-5)])
    inside = np.sqrt(volumes[1] / volumes[0] / volumes.sum())
    outside = -np.sqrt(volumes[0] / volumes[1] / volumes.sum())
    wanted = np.full((5, 5), outside)
    wanted[1:3, 1:3] = inside
    np.testing.assert_allclose(vector, wanted, rtol=1e-6)
    np.testing.assert_array_equal(component, wanted > 0)


def test_the_object_is_the_component_of_the_seed_alone():
    # Two pieces of the same look, which touch at a corner only: the cut holds both, the object one.
    vector, component = cut(planted([*BLOCK, (3, 3), (3, 4)]))
    assert (vector > 0).sum() == 6
    seed = np.unravel_index(np.abs(vector).argmax(), vector.shape)
    own = BLOCK if tuple(seed) in BLOCK else [(3, 3), (3, 4)]
    assert sorted(zip(*np.nonzero(component), strict=True)) == sorted(own)


@pytest.mark.parametrize("seed", range(4))
def test_second_eigenvector_against_the_generalised_problem(seed):
    rng = np.random.default_rng(seed)
    weights = edges(rng.normal(size=(30, 4)))
    found, wanted = second_eigenvector(weights), plainly(weights)
    np.testing.assert_allclose(found * np.sign(found @ wanted), wanted, atol=1e-8)


def test_large_grids_take_another_solver_to_the_same_answer(monkeypatch):
    weights = edges(np.random.default_rng(0).normal(size=(60, 4)))
    dense = second_eigenvector(weights)
    monkeypatch.setattr(normalized_cut, "DENSE", 10)
    sparse = second_eigenvector(weights)
    np.testing.assert_allclose(sparse * np.sign(sparse @ dense), dense, atol=1e-8)
    np.testing.assert_array_equal(sparse, second_eigenvector(weights))  # and again the same


def test_the_sign_does_not_hang_on_the_solver(monkeypatch):
    features = planted(BLOCK)
    vector, component = cut(features)
    solve = normalized_cut.second_eigenvector
    monkeypatch.setattr(normalized_cut, "second_eigenvector", lambda weights: -solve(weights))
    again = cut(features)
    np.testing.assert_array_equal(again[0], vector)
    np.testing.assert_array_equal(again[1], component)


@pytest.mark.parametrize("features", [np.ones((3, 2, 4)), np.zeros((3, 2, 4))])
def test_where_all_patches_are_alike_nothing_is_cut(features):
    vector, component = cut(features)
    assert not vector.any() and not component.any()
    assert vector.shape == component.shape == (2, 4)


def test_an_eigenvector_falls_with_the_number_of_cells():
    """The same scene four times as fine has a quarter: `+scales` multiplies by the cells first."""
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(2, 30))
    coarse = np.zeros((8, 8), int)
    coarse[2:5, 3:6] = 1
    fine = coarse.repeat(2, axis=0).repeat(2, axis=1)
    several = [cut(directions[scene].transpose(2, 0, 1))[0] for scene in (coarse, fine)]
    np.testing.assert_allclose(several[1][::2, ::2] * 4, several[0], rtol=1e-6)
    assert several[0].max() > 0
    assert [NormalizedCut("cut", own).per_cells for own in ("", "keys", "component")] == [1, 1, 0]
