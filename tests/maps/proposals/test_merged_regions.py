"""Proposals of pictures whose regions are known, and the graph of regions as scikit-image makes it."""

import numpy as np
import pytest
from PIL import Image
from skimage import graph

from wsol.maps.proposals.merged_regions import hierarchy_boxes, proposals, thinned, touching


def as_set(boxes: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(int(edge) for edge in box) for box in boxes}


def test_regions_and_merges_by_hand():
    """Stripes of 0, 1, 5, 7: 0 and 1 merge first, then 5 and 7, then the two pairs."""
    regions = np.repeat(np.arange(4), 2)[None].repeat(3, axis=0)
    colours = np.array([0.0, 1.0, 5.0, 7.0])[regions][..., None].repeat(3, axis=2)
    found = hierarchy_boxes(colours, regions)
    assert as_set(found[:4]) == {(0, 0, 2, 3), (2, 0, 4, 3), (4, 0, 6, 3), (6, 0, 8, 3)}
    assert [tuple(box) for box in found[4:].tolist()] == [(0, 0, 4, 3), (4, 0, 8, 3), (0, 0, 8, 3)]


def test_a_small_region_merges_before_a_large_one_that_is_nearer():
    """Ward: 10 of one pixel grow the squares less than 1 of sixty."""
    regions = np.zeros((1, 121), int)
    regions[:, 60:120], regions[:, 120:] = 1, 2
    colours = np.array([0.0, 1.0, 4.0])[regions][..., None].repeat(3, axis=2)
    grown = {(0, 1): 3 * 1 * 60 * 60 / 120, (1, 2): 3 * 9 * 60 * 1 / 61}
    assert grown[1, 2] < grown[0, 1]
    assert hierarchy_boxes(colours, regions)[3].tolist() == [60, 0, 121, 1]


def test_one_region_has_one_box():
    assert hierarchy_boxes(np.zeros((4, 5, 3)), np.zeros((4, 5), int)).tolist() == [[0, 0, 5, 4]]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_graph_is_scikit_images(seed):
    rng = np.random.default_rng(seed)
    regions = np.kron(rng.permutation(30).reshape(5, 6), np.ones((3, 4), int))
    regions[0, :3] = regions[-1, -1]  # a region of two pieces
    colours = rng.normal(size=(*regions.shape, 3))
    theirs, ours = graph.rag_mean_color(colours, regions), touching(colours, regions)
    assert {frozenset(edge) for edge in ours.edges} == {frozenset(edge) for edge in theirs.edges}
    for node, region in ours.nodes(data=True):
        np.testing.assert_allclose(region["colour"], theirs.nodes[node]["total color"])
        assert region["pixels"] == theirs.nodes[node]["pixel count"]
        rows, columns = np.nonzero(regions == node)
        edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert region["box"].tolist() == edges


def test_a_bright_square_is_proposed_in_shares_of_the_sides():
    pixels = np.full((60, 120, 3), 40, np.uint8)
    pixels[15:45, 24:84] = 220
    found = proposals(Image.fromarray(pixels))
    assert found.dtype == np.float32 and found.shape[1] == 4
    wanted = np.array([24 / 120, 15 / 60, 84 / 120, 45 / 60])
    assert np.abs(found - wanted).max(axis=1).min() < 0.03  # regions are found in a blurred image
    areas = (found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1])
    assert (np.diff(areas) <= 0).all() and areas.max() <= 0.95 and areas.min() >= 0.02


def test_an_image_of_one_colour_has_none():
    assert proposals(Image.new("RGB", (30, 20), (9, 9, 9))).shape == (0, 4)


def test_of_boxes_that_say_the_same_the_larger_stays():
    boxes = np.array([[0, 0, 9, 10], [0, 0, 10, 10], [0, 0, 7, 10], [20, 0, 24, 4], [0, 0, 5, 10]])
    # 9 of 10 and 7 of 10 are beyond .6; 5 of 10 is not, though it is beyond .6 of the 7, which is gone.
    assert thinned(boxes, 0.6).tolist() == [[0, 0, 10, 10], [0, 0, 5, 10], [20, 0, 24, 4]]
    assert len(thinned(boxes, 0.95)) == 5
