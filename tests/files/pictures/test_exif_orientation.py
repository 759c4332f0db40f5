"""Pictures turned by their EXIF orientation, and as they are stored."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from wsol.errors import UserError
from wsol.files.pictures.images import image_size, open_image

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


@pytest.mark.parametrize("tag", range(1, 9))
def test_every_orientation_turns_as_its_definition_says(tmp_path, tag):
    exif = Image.Exif()
    exif[0x0112] = tag
    path = tmp_path / "turned.png"
    Image.fromarray(gradient()).save(path, exif=exif)
    stored = gradient()
    # EXIF: where row 0 and column 0 of what is stored lie in the picture as seen.
    seen = {
        1: stored,  # top, left
        2: stored[:, ::-1],  # top, right
        3: stored[::-1, ::-1],  # bottom, right
        4: stored[::-1],  # bottom, left
        5: stored.T,  # left, top
        6: stored.T[:, ::-1],  # right, top
        7: stored.T[::-1, ::-1],  # right, bottom
        8: stored.T[::-1],  # left, bottom
    }[tag]
    np.testing.assert_array_equal(np.asarray(open_image(path, exif=True))[..., 0], seen)
    assert image_size(path, exif=True) == seen.shape


def test_a_png_is_sized_by_its_header_whatever_its_pixels_and_what_is_behind_them(tmp_path):
    """A PNG without tag in its header is not decoded to look for one."""
    path = tmp_path / "damaged.png"
    pixels = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    assert image_size(path, exif=True) == (30, 40)
    with pytest.raises(UserError, match=r"damaged\.png: damaged image"):
        open_image(path, exif=True)


def test_a_tag_behind_the_pixels_of_a_png_turns_neither_size_nor_pixels(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = ROTATE_270
    path = tmp_path / "behind.png"
    Image.fromarray(gradient()).save(path)
    content, end = exif.tobytes().removeprefix(b"Exif\0\0"), path.read_bytes()[-12:]
    path.write_bytes(path.read_bytes()[:-12] + chunk(b"eXIf", content) + end)
    assert Image.open(path).getexif()[0x0112] == ROTATE_270  # Pillow decodes to find it
    assert image_size(path, exif=True) == (4, 6)
    np.testing.assert_array_equal(np.asarray(open_image(path, exif=True))[..., 0], gradient())


def test_a_tiff_that_pillow_turns_is_turned_once(tmp_path):
    path = tmp_path / "upright.tif"
    Image.fromarray(gradient()).save(path, tiffinfo={0x0112: ROTATE_270})
    assert image_size(path, exif=True) == (6, 4)
    turned = np.asarray(open_image(path, exif=True))[..., 0]
    np.testing.assert_array_equal(turned, np.rot90(gradient(), -1))


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_stored_pixels_are_those_before_any_turn(tmp_path, tag, suffix):
    path = tmp_path / f"stored.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {}
    exif = Image.Exif()
    exif[0x0112] = tag
    Image.fromarray(gradient()).convert("RGB").save(path, exif=exif, **options)
    assert image_size(path) == (4, 6)
    np.testing.assert_array_equal(np.asarray(open_image(path))[..., 0], gradient())


@pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin")
def test_damaged_exif_turns_nothing_and_stops_nothing(tmp_path):
    """Each byte of the tags is damaged in turn; what a damaged file tells is the same both times."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = ROTATE_270, "maker of cameras"
    exif[0x8769] = {0x9003: "2020:01:01 00:00:00"}
    buffer = io.BytesIO()
    Image.fromarray(gradient(16, 24) // 30).save(buffer, "JPEG", exif=exif)
    whole = buffer.getvalue()
    start = whole.index(b"Exif") + 6
    path = tmp_path / "camera.jpg"
    turned = set()
    for place in range(start, start + 100):
        for value in (0, 255):
            path.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
            size = image_size(path, exif=True)
            assert size == open_image(path, exif=True).size[::-1]
            turned.add(size)
    assert turned == {(16, 24), (24, 16)}


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG."""
    end = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + end
