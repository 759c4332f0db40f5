"""Decoding at a reduced scale: only where it leaves twice the side, and close to the whole decoding."""

import numpy as np
import pytest
import skimage.data
from PIL import Image

from wsol.data.loading.decoded import Decoding
from wsol.files.pictures.images import open_image


@pytest.fixture(scope="module")
def photograph(tmp_path_factory):
    path = tmp_path_factory.mktemp("photograph") / "large.jpg"
    Image.fromarray(skimage.data.astronaut()).resize((1600, 1200)).save(path, quality=90)
    return path.as_posix()


@pytest.mark.parametrize(
    ("at_least", "size"),
    [(None, (1600, 1200)), (601, (1600, 1200)), (600, (800, 600)), (300, (400, 300)), (9, (200, 150))],
)
def test_the_smallest_scale_that_leaves_both_sides_so_long(photograph, at_least, size):
    assert open_image(photograph, at_least=at_least).size == size


def test_pixels_are_close_to_those_of_the_whole_decoding(photograph):
    whole = Decoding(224, False, False)(photograph).astype(int)
    reduced = Decoding(224, False, True)(photograph).astype(int)
    assert whole.shape == reduced.shape == (224, 224, 3)
    assert not np.array_equal(whole, reduced)
    assert np.abs(whole - reduced).mean() < 1
    assert np.abs(whole - reduced).max() <= 16


def test_where_it_would_leave_less_than_twice_the_side_nothing_changes(photograph):
    np.testing.assert_array_equal(
        Decoding(601, False, True)(photograph), Decoding(601, False, False)(photograph)
    )


def test_other_formats_are_decoded_whole(photograph, tmp_path):
    path = (tmp_path / "same.png").as_posix()
    open_image(photograph).save(path)
    assert open_image(path, at_least=100).size == (1600, 1200)
