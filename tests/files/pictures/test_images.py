"""Images of all kinds as 8-bit RGB."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wsol.errors import UserError
from wsol.files.pictures.images import open_image


def gradient(height: int = 4, width: int = 6) -> np.ndarray:
    return np.arange(height * width, dtype=np.uint8).reshape(height, width) * 10


def test_grey_becomes_three_equal_channels(tmp_path):
    Image.fromarray(gradient()).save(tmp_path / "grey.png")
    pixels = np.asarray(open_image(tmp_path / "grey.png"))
    np.testing.assert_array_equal(pixels, np.repeat(gradient()[..., None], 3, axis=2))


def test_alpha_is_dropped_and_palettes_are_looked_up(tmp_path):
    colours = np.zeros((2, 2, 4), np.uint8)
    colours[..., 0], colours[..., 3] = 200, [[0, 255], [128, 255]]
    Image.fromarray(colours).save(tmp_path / "alpha.png")
    np.testing.assert_array_equal(np.asarray(open_image(tmp_path / "alpha.png")), colours[..., :3])
    palette = Image.fromarray(np.array([[0, 1]], np.uint8), "L").convert("P")
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.info["transparency"] = 0
    palette.save(tmp_path / "palette.png")
    assert np.asarray(open_image(tmp_path / "palette.png")).tolist() == [[[10, 20, 30], [40, 50, 60]]]


def test_cmyk_becomes_rgb(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "print.jpg", quality=95)
    pixels = np.asarray(open_image(tmp_path / "print.jpg"), np.int64)
    assert pixels.shape == (16, 16, 3)
    assert np.abs(pixels - [255, 0, 0]).max() <= 3  # no cyan, all magenta and yellow: red


def test_sixteen_bits_keep_their_high_byte(tmp_path):
    deep = np.array([[0, 256, 32768, 65535]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert np.asarray(open_image(tmp_path / "deep.png"))[0, :, 0].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bits_of_a_tiff_keep_their_high_byte_in_either_byte_order(tmp_path, order):
    deep = np.array([[0, 1, 255, 256, 32768, 65535]], f"{order}u2")  # also where all are small
    mode = "I;16" if order == "<" else "I;16B"
    for name, values in (("all", deep), ("dark", deep[:, :3])):
        path = tmp_path / f"{name}.tif"
        Image.frombytes(mode, values.shape[::-1], values.tobytes()).save(path)
        grey = np.asarray(open_image(path))[0, :, 0]
        assert grey.tolist() == [0, 0, 0, 1, 128, 255][: values.size]


@pytest.mark.parametrize(
    ("values", "dtype", "grey"),
    [
        ([0, 0.5, 1], np.float32, [0, 127, 255]),
        ([0, 0.5, 254.9, 255], np.float32, [0, 0, 254, 255]),
        ([0, 256, 65535], np.float32, [0, 1, 255]),
        ([0, 1, 1], np.int32, [0, 1, 1]),
        ([0, 1, 200, 255], np.int32, [0, 1, 200, 255]),
        ([0, 256, 32768, 65535], np.int32, [0, 1, 128, 255]),
    ],
)
def test_thirty_two_bits_are_read_in_the_range_that_holds_them(tmp_path, values, dtype, grey):
    path = tmp_path / "deep.tif"
    Image.fromarray(np.array([values], dtype)).save(path)
    pixels = np.asarray(open_image(path))
    assert pixels.dtype == np.uint8 and pixels.shape == (1, len(values), 3)
    assert pixels[0, :, 0].tolist() == grey


@pytest.mark.parametrize("values", [[-1.0, 0.5], [0.0, np.nan], [0.0, np.inf], [0, 70000]])
def test_thirty_two_bits_beyond_every_range_are_refused(tmp_path, values):
    path = tmp_path / "deep.tif"
    Image.fromarray(np.array([values], np.float32)).save(path)
    with pytest.raises(UserError, match=r"deep\.tif: values from .* save it with 8 or 16 bits$"):
        open_image(path)


def test_a_png_named_jpg_is_read_for_what_it_is(tmp_path):
    Image.fromarray(gradient()).save(tmp_path / "named.jpg", format="PNG")
    assert open_image(tmp_path / "named.jpg").size == (6, 4)
