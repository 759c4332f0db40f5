"""The centred box: every threshold cuts out one centred square."""

import numpy as np
import pytest

from wsol.maps import map_source
from wsol.maps.centered import center_map, gaussian_map


@pytest.mark.parametrize("size", [7, 64, 224])
def test_every_cut_is_a_centred_square(size):
    score_map = center_map(size)
    assert score_map.dtype == np.float32
    for value in np.unique(score_map)[:-1]:
        rows, columns = np.nonzero(score_map > value)
        side = rows.max() - rows.min() + 1
        assert rows.min() == columns.min() == size - 1 - rows.max() == size - 1 - columns.max()
        assert (score_map > value).sum() == side**2


def test_squares_of_every_second_size_are_there():
    sides = sorted(int((center_map(64) > cut).sum()) for cut in np.unique(center_map(64))[:-1])
    assert sides == [side**2 for side in range(2, 64, 2)]


def test_the_gaussian_cuts_out_discs():
    score_map = gaussian_map(65)
    rows, columns = np.indices((65, 65)) - 32
    by_distance = score_map.ravel()[np.argsort(np.hypot(rows, columns).ravel(), kind="stable")]
    assert (np.diff(by_distance) <= 1e-7).all()
    assert score_map[32, 32] == 1
    assert np.isclose(score_map[32, 32 + 16], np.exp(-0.5 * (16 / 16.25) ** 2))


@pytest.mark.parametrize(("name", "expected"), [("center", center_map), ("gaussian", gaussian_map)])
def test_a_source_reads_the_same_map_of_every_image(name, expected):
    source = map_source(name)
    assert source.baseline
    for path in ("a.png", "b.png"):
        np.testing.assert_array_equal(source.read(path, 8), expected(8))
