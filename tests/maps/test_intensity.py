"""The image itself as a score map."""

import numpy as np
import pytest
from PIL import Image

from wsol.errors import UserError
from wsol.maps import map_source


def test_it_is_the_mean_of_the_colours_in_the_images_own_size(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = map_source("intensity").read(str(tmp_path / "a.png"), 224)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, pixels.astype(float).sum(axis=2) / 3, rtol=1e-6)


@pytest.mark.parametrize("exif", [False, True])
def test_it_is_turned_where_the_data_set_is(tmp_path, exif):
    pixels = np.zeros((4, 6), np.uint8)
    pixels[:, :3] = 200
    tag = Image.Exif()
    tag[0x0112] = 6  # a quarter to the right
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=tag, quality=100)
    source = map_source("intensity")
    source.exif = exif
    found = source.read(str(tmp_path / "a.jpg"), 224) > 100
    expected = np.rot90(pixels, -1) if exif else pixels
    np.testing.assert_array_equal(found, expected > 100)


def test_a_baseline_that_says_its_name_and_a_missing_file(tmp_path):
    source = map_source("intensity")
    assert source.described() == {"source": {"title": "image intensity", "baseline": True}}
    with pytest.raises(UserError, match=r"gone\.png: missing; run `wsol prepare` again"):
        source.read(str(tmp_path / "gone.png"), 224)
