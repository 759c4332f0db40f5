"""What each test promises of its scenes, counted over many of them."""

from __future__ import annotations

import numpy as np
import pytest

from wsol.data.digits.scene import NOTHING
from wsol.data.digits.tests import SIDES

N = 1400


def is_object(things) -> np.ndarray:
    """Which of the things (n, k) belongs to a labelled object."""
    return (things.instances != NOTHING).any(axis=2)


@pytest.mark.parametrize(("distractors", "split"), [(1, "test"), (3, "test"), (2, "train")])
def test_neither_size_nor_place_tells_the_object(make, distractors, split):
    """Means over objects and over distractors, within four sigma of each other."""
    made = make("base", N, split=split, distractors=distractors)
    places, own = made.placed(), is_object(made.scene.things)
    assert (own.sum(axis=1) == 1).all() and own.shape[1] == 1 + distractors
    centre_y, centre_x = places.top + places.height / 2, places.left + places.width / 2
    from_middle = np.maximum(np.abs(centre_y - 32), np.abs(centre_x - 32))
    for figure in (places.height, centre_y, centre_x, from_middle, places.height == 10):
        one, others = figure[own], figure[~own]
        error = (one.var() / len(one) + others.var() / len(others)) ** 0.5
        assert abs(one.mean() - others.mean()) <= 4 * error


def test_the_order_of_things_does_not_tell_the_object(make):
    """In their order brightness and samples are drawn, and of things alike the first is placed first."""
    made = make("base", N, distractors=3)
    counts = is_object(made.scene.things).sum(axis=0)
    assert np.abs(counts - N / 4).max() < 4 * (N * 3 / 16) ** 0.5


def test_classes_take_turns_and_distractors_are_of_none(make):
    made = make("base", 700)
    things, own = made.scene.things, is_object(made.scene.things)
    assert made.scene.labels.tolist() == [index % 7 for index in range(700)]
    np.testing.assert_array_equal(things.digits[own][:, 0], made.scene.labels)
    assert np.bincount(things.digits[~own][:, 0]).tolist()[:7] == [0] * 7
    assert set(things.digits[~own][:, 0].tolist()) == {7, 8, 9}


@pytest.mark.parametrize("companions", [0, 1, 2])
def test_the_classes_of_a_company_are_distinct(make, companions):
    scene = make("company", N, companions=companions).scene
    digits, own = scene.things.digits[:, :, 0], is_object(scene.things)
    for row in range(N):
        classes = digits[row][own[row]].tolist()
        assert len(set(classes)) == len(classes) == 1 + companions
        assert sorted(classes) == sorted(scene.instance_labels[row].tolist())
        assert scene.instance_labels[row, 0] == scene.labels[row]
    assert (digits[own] < 7).all() and (digits[~own] >= 7).all()
    assert ((~own).sum(axis=1) == 2).all()
    beside = scene.instance_labels[:, 1:]
    if companions:
        counts = np.bincount(beside.ravel(), minlength=7)
        assert np.abs(counts - beside.size / 7).max() < 5 * (beside.size / 7) ** 0.5


@pytest.mark.parametrize("size", [52, 64, 72])
@pytest.mark.parametrize("side", list(SIDES))
def test_the_object_never_shrinks_out_of_its_range(make, size, side):
    made = make("scale", 140, size, side=side)
    places, own = made.placed(), is_object(made.scene.things)
    first, last = (bound * size // 64 for bound in SIDES[side])
    found = places.height[own]
    assert len(found) == 140
    assert set(found.tolist()) <= set(range(first, last + 1))
    np.testing.assert_array_equal(found, places.width[own])
    np.testing.assert_array_equal(found, made.scene.things.heights[own])
    assert (places.height <= found[:, None]).all()


def test_without_a_side_each_is_a_fifth(make):
    sides = make("scale", 700).scene.things.heights[:, 0]
    for first, last in SIDES.values():
        assert ((sides >= first) & (sides <= last)).sum() == 140


@pytest.mark.parametrize("size", [52, 64])
@pytest.mark.parametrize("instances", [2, 3, 4])
def test_several_are_a_cell_apart(make, instances, size):
    """By pixels: around a place, so far as a cell, lies no pixel of another."""
    places = make("several", 300, size, instances=instances).placed()
    cell = 8 * size // 64
    for row in range(300):
        taken = np.zeros((size, size), bool)
        for thing in range(instances):
            y, x, height, width = (int(part[row, thing]) for part in places.parts)
            around = taken[max(y - cell, 0) : y + height + cell, max(x - cell, 0) : x + width + cell]
            assert not around.any()
            taken[y : y + height, x : x + width] = True


@pytest.mark.parametrize("spacing", ["apart", "touching"])
def test_several_are_of_one_class_and_each_an_instance(make, spacing):
    scene = make("several", 70, instances=4, spacing=spacing).scene
    things, own = scene.things, scene.things.instances != NOTHING
    assert own.sum() == 70 * 4 and (things.codes[own] == 1).all()
    assert (things.digits[own].reshape(70, 4) == scene.labels[:, None]).all()
    assert (things.instances[own].reshape(70, 4) == np.arange(4)).all()
    others = things.digits[~own & (things.digits != NOTHING)].reshape(70, 2)
    assert set(others.ravel().tolist()) == {7, 8, 9}
    assert (scene.instance_labels == scene.labels[:, None]).all()


def test_half_of_none_have_no_object(make):
    scene = make("none", 1400).scene
    without = scene.labels == NOTHING
    assert without.sum() == 700 and np.bincount(scene.labels[~without]).tolist() == [100] * 7
    own = is_object(scene.things)
    np.testing.assert_array_equal(own.sum(axis=1), ~without)
    # As many things either way: their number does not say whether an object is among them.
    assert own.shape[1] == 3
    assert (scene.things.digits[without] >= 7).all()


def test_objects_of_parts_alone_have_a_seven(make):
    scene = make("parts", N).scene
    things, own = scene.things, is_object(scene.things)
    deciding = things.codes == 1
    assert (own.sum(axis=1) == 1).all() and (deciding.sum(axis=(1, 2)) == 1).all()
    np.testing.assert_array_equal(things.digits[deciding], scene.labels)
    assert (things.digits[things.codes == 2] == 7).all()
    assert set(things.digits[~own].ravel().tolist()) == {8, 9}
    on_left = deciding[:, :, 0].sum()
    assert abs(on_left - N / 2) < 4 * (N / 4) ** 0.5


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_the_deciding_cell_has_its_share_of_the_width(make, share):
    made = make("parts", 300, share=share)
    things, places = made.scene.things, made.placed()
    row, thing, cell = np.nonzero(things.codes == 1)
    width = places.width[row, thing]
    ends = [width * things.edges[row, thing, cell + at] // 1000 for at in (0, 1)]
    assert np.abs((ends[1] - ends[0]) - share * width).max() < 1


def test_training_of_parts_covers_the_dial(make):
    edges = make("parts", N, split="train").scene.things.edges[:, :, 1]
    assert edges.min() == 250 and edges.max() == 750
    assert abs(edges.mean() - 500) < 10


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.9, 0.95])
def test_the_texture_goes_with_the_class_at_its_share(make, share, split):
    scene = make("context", 7000, split=split, share=share).scene
    own = scene.patch.texture == scene.labels
    assert abs(own.mean() - share) < 4 * (share * (1 - share) / 7000) ** 0.5
    counts = np.bincount((scene.patch.texture - scene.labels)[~own] % 7, minlength=7)[1:]
    assert np.abs(counts - (~own).sum() / 6).max() < 4 * ((~own).sum() / 6) ** 0.5


def test_uncorrelated_textures_say_nothing_of_the_class(make):
    scene = make("context", 7000, texture="uncorrelated").scene
    table = np.bincount(scene.labels * 7 + scene.patch.texture, minlength=49)
    assert ((table - 7000 / 49) ** 2 / (7000 / 49)).sum() < 94  # 48 degrees: beyond .9999


def test_the_context_is_one_of_four_halves_of_the_image(make):
    """So a map of the centre lies as much outside it as inside."""
    patch = make("context", 700).scene.patch
    places = np.stack([patch.top, patch.left, patch.height, patch.width], axis=1)
    halves, counts = np.unique(places, axis=0, return_counts=True)
    wanted = [[0, 0, 32, 64], [0, 0, 64, 32], [0, 32, 64, 32], [32, 0, 32, 64]]
    assert halves.tolist() == wanted
    assert ((counts - 175) ** 2 / 175).sum() < 22  # chi square of 3 degrees: beyond .9999
