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


def test_blurred_it_has_the_same_light_spread_over_half_a_cell(tmp_path):
    pixels = np.zeros((64, 64), np.uint8)
    pixels[32, 32] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = map_source("intensity:blurred").read(str(tmp_path / "a.png"), 224)
    y, x = np.mgrid[:64, :64] - 32
    gauss = np.exp(-(y**2 + x**2) / (2 * 4**2))
    np.testing.assert_allclose(found, 255 * gauss / gauss.sum(), atol=0.01)


def test_its_largest_bright_component_and_nothing_else(tmp_path):
    pixels = np.full((20, 20), 40, np.uint8)
    pixels[2:8, 2:8] = 200  # 36 pixels, and one that touches by its corner
    pixels[8, 8] = 210
    pixels[12:18, 12:17] = 255  # 30, brighter
    Image.fromarray(pixels).save(tmp_path / "a.png")
    expected = np.zeros((20, 20), np.float32)
    expected[2:8, 2:8], expected[8, 8] = 200, 210
    found = map_source("intensity:component").read(str(tmp_path / "a.png"), 224)
    np.testing.assert_array_equal(found, expected)


def test_a_black_image_has_no_bright_component(tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    found = map_source("intensity:component").read(str(tmp_path / "a.png"), 224)
    assert found.dtype == np.float32 and found.shape == (8, 8) and not found.any()


def test_a_baseline_that_says_its_name_and_a_missing_file(tmp_path):
    source = map_source("intensity")
    assert source.described() == {"source": {"title": "image intensity", "baseline": True}}
    with pytest.raises(UserError, match=r"gone\.png: missing; run `wsol prepare` again"):
        source.read(str(tmp_path / "gone.png"), 224)
