"""What the pixels of mask files mean, drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wsol.errors import UserError
from wsol.evaluation.masks import read_mask, true_mask
from wsol.files.pictures.images import open_mask, open_mask_pixels
from wsol.scores.samples import Annotation

CODES = np.array([[0, 12, 255], [0, 12, 255]], np.uint8)


def palette(path, codes, colours):
    image = Image.frombytes("P", codes.shape[::-1], codes.tobytes())
    image.putpalette(colours)
    image.save(path)
    return path


def voc_colours():
    return [(37 * index * band) % 256 for index in range(256) for band in (1, 2, 3)]


@pytest.mark.parametrize("suffix", ["png", "gif", "tif", "bmp"])
def test_255_of_a_palette_is_void(tmp_path, suffix):
    path = palette(tmp_path / f"m.{suffix}", CODES, voc_colours())
    inside, void = open_mask_pixels(path)
    if suffix == "gif":  # whose writer numbers the colours anew
        assert inside.tolist() == [[False, True, True]] * 2
        return
    assert inside.tolist() == [[False, True, False]] * 2
    assert void is not None and void.tolist() == [[False, False, True]] * 2
    assert read_mask(path).tolist() == inside.tolist()
    found = true_mask(Annotation("a", 0, (2, 3), masks=(str(path),)), (2, 3))
    assert found.tolist() == [[0, 1, 255]] * 2


def test_a_grey_palette_of_two_values_is_a_grey_mask(tmp_path):
    ramp = [index for index in range(256) for _ in range(3)]
    two = np.where(CODES == 255, 255, 0).astype(np.uint8)
    inside, void = open_mask_pixels(palette(tmp_path / "m.png", two, ramp))
    assert inside.tolist() == (two == 255).tolist() and void is None
    inside, void = open_mask_pixels(palette(tmp_path / "c.png", CODES, ramp))  # codes beside it
    assert inside.tolist() == (CODES == 12).tolist() and void is not None


def test_255_of_grey_is_the_object(tmp_path):
    Image.fromarray(CODES).save(tmp_path / "m.png")
    assert open_mask_pixels(tmp_path / "m.png").inside.tolist() == (CODES > 0).tolist()


def test_a_jpeg_is_cut_at_half(tmp_path):
    drawn = np.zeros((40, 40), np.uint8)
    drawn[7:23, 5:31] = 255
    Image.fromarray(drawn).save(tmp_path / "m.jpg", quality=60)
    assert (np.asarray(Image.open(tmp_path / "m.jpg")) != drawn).any()  # it blurs
    np.testing.assert_array_equal(read_mask(tmp_path / "m.jpg"), drawn > 0)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_masks_of_any_mode(tmp_path, mode):
    inside = np.array([[0, 1, 0], [0, 1, 1]], bool)
    path = tmp_path / "mask.png"
    if mode == "I;16":
        Image.fromarray(inside.astype(np.uint16)).save(path)  # 1 of 65535: the high byte is zero
    elif mode == "P":
        indexed = Image.fromarray(inside.astype(np.uint8), "L").convert("P")
        indexed.putpalette([0, 0, 0, 0, 0, 0])  # black on black: the index tells
        indexed.save(path)
    else:
        Image.fromarray(inside.astype(np.uint8) * 255).convert(mode).save(path)
    np.testing.assert_array_equal(open_mask(path), inside)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (0.1, float),
        (np.nan, float),
        (np.inf, float),
        (-np.inf, float),
        (-1, np.int16),
        (0.5, np.float16),
    ],
)
@pytest.mark.parametrize("suffix", ["npy", "tif"])
def test_scores_are_no_mask(value, dtype, suffix, tmp_path):
    values = np.zeros((3, 4), dtype)
    values[1, 1:3] = 1, value
    path = tmp_path / f"m.{suffix}"
    if suffix == "npy":
        np.save(path, values)
    else:
        Image.fromarray(values.astype(np.int32 if dtype == np.int16 else np.float32)).save(path)
    with pytest.raises(UserError, match=rf"m\.{suffix}: holds {value:g}: .*whole numbers"):
        open_mask_pixels(path)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
@pytest.mark.parametrize("shape", [(3, 5), (1, 3, 5), (1, 1, 3, 5), (3, 5, 1), (3, 5, 2)])
def test_arrays_of_any_type_and_with_a_tensor_s_axes(dtype, shape, tmp_path):
    drawn = np.zeros((3, 5), bool)
    drawn[1, 2:] = True
    array = drawn[..., None].repeat(shape[2], 2) if shape[:2] == (3, 5) and len(shape) == 3 else drawn
    np.save(tmp_path / "m.npy", (255 * array).astype(dtype).reshape(shape))
    assert open_mask(tmp_path / "m.npy").tolist() == drawn.tolist()


@pytest.mark.parametrize("shape", [(5,), (2, 3, 5), (2, 1, 3, 5), (3, 5, 6)])
def test_an_array_of_another_shape_is_named(shape, tmp_path):
    np.save(tmp_path / "m.npy", np.zeros(shape, bool))
    with pytest.raises(UserError, match=r"m\.npy: a mask is \(height, width\)") as caught:
        open_mask(tmp_path / "m.npy")
    assert str(shape) in str(caught.value)
