from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.images import image_size, open_image, open_mask
from wsol.errors import UserError

ROTATE_270 = 6  # the EXIF tag of a camera held upright: turn clockwise by 90 degrees to see it


def gradient(height: int = 4, width: int = 6) -> np.ndarray:
    return np.arange(height * width, dtype=np.uint8).reshape(height, width) * 10


def test_exif_turns_the_picture_and_its_size_only_when_asked(tmp_path):
    image = Image.fromarray(gradient())
    exif = Image.Exif()
    exif[0x0112] = ROTATE_270
    path = tmp_path / "upright.png"
    image.save(path, exif=exif)
    assert image_size(path) == (4, 6) and image_size(path, exif=True) == (6, 4)
    turned = np.asarray(open_image(path, exif=True))[..., 0]
    np.testing.assert_array_equal(turned, np.rot90(gradient(), -1))
    np.testing.assert_array_equal(np.asarray(open_image(path))[..., 0], gradient())


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


def test_a_png_named_jpg_is_read_for_what_it_is(tmp_path):
    Image.fromarray(gradient()).save(tmp_path / "named.jpg", format="PNG")
    assert open_image(tmp_path / "named.jpg").size == (6, 4)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_large_image_is_taken_and_a_bomb_refused_by_its_header(tmp_path):
    assert image_size(header_only(tmp_path / "large.png", 16000, 10000)) == (10000, 16000)
    with pytest.raises(UserError, match=r"bomb\.png: too many pixels"):
        image_size(header_only(tmp_path / "bomb.png", 30000, 30000))


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_cut_file_is_noticed_by_its_header_and_bytes_behind_the_end_are_not(tmp_path, suffix):
    whole = tmp_path / f"whole.{suffix}"
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(pixels).save(whole)
    longer = tmp_path / f"longer.{suffix}"
    longer.write_bytes(whole.read_bytes() + b"\0\0camera notes")
    assert image_size(whole) == image_size(longer) == (64, 64)
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[:-400])
    with pytest.raises(UserError, match=rf"cut\.{suffix}: damaged image"):
        image_size(cut)


def test_damage_is_named(tmp_path):
    whole = tmp_path / "whole.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(whole)
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(whole.read_bytes()[:900])
    empty = tmp_path / "empty.jpg"
    empty.touch()
    text = tmp_path / "text.jpg"
    text.write_text("<html>404</html>")
    for path, what in ((cut, "damaged image"), (empty, "empty file"), (text, "not an image")):
        with pytest.raises(UserError, match=what) as caught:
            open_image(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "bmp", "tif", "webp"])
def test_any_damage_is_one_error(tmp_path, suffix):
    path = tmp_path / f"damaged.{suffix}"
    draw = np.random.default_rng(1)
    Image.fromarray(draw.integers(0, 255, (32, 32, 3), np.uint8)).save(path)
    whole = path.read_bytes()
    for _ in range(100):
        content = bytearray(whole)
        for place in draw.integers(0, min(len(content), 400), 3):
            content[place] = draw.integers(256)
        path.write_bytes(content[: draw.integers(1, len(content) + 1)])
        for read in (open_image, open_mask, image_size):
            try:
                read(path)
            except UserError as error:
                assert str(path) in str(error)


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


def header_only(path: Path, width: int, height: int) -> Path:
    """A PNG that claims a size and holds no pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        end = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + end

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path
