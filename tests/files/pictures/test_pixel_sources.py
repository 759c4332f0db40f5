"""One image from whatever holds it; what the forms have in common is tested with a model."""

import numpy as np
import pytest
from PIL import Image

from wsol.errors import UserError
from wsol.files.pictures.pixel_sources import as_image


def test_a_path_is_turned_as_its_tag_says(tmp_path):
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[0, 0] = 255
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by a quarter
    image.save(tmp_path / "turned.png", exif=exif)
    assert as_image(tmp_path / "turned.png").size == (4, 8)


def test_floats_are_rounded_not_cut():
    values = np.array([[[0.0, 0.5, 1.0]]])
    assert np.asarray(as_image(values)).tolist() == [[[0, 128, 255]]]


@pytest.mark.parametrize("bad", [np.nan, -0.1, 1.5])
def test_floats_outside_the_range_are_refused(bad):
    with pytest.raises(UserError, match=r"give values in \[0, 1\]"):
        as_image(np.full((2, 2, 3), bad))
