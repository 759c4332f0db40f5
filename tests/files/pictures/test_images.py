from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.errors import UserError
from wsol.files.pictures.images import UnreachableFile, image_size, open_codes, open_image, open_mask
from wsol.files.pictures.mask_file import codes_in

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


def test_what_the_system_does_not_hand_over_is_no_damage(tmp_path, monkeypatch):
    path = tmp_path / "locked.png"
    Image.fromarray(gradient()).save(path)

    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Image, "open", refuse)
    for read in (image_size, open_image, open_mask):
        with pytest.raises(UnreachableFile, match=r"locked\.png: cannot be read \(Permission denied\)$"):
            read(path)


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
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG."""
    end = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + end


@pytest.mark.parametrize("mode", ["L", "P"])
def test_codes_are_grey_values_or_indices_of_a_palette(tmp_path, mode):
    codes = np.array([[0, 1, 200], [255, 7, 0]], np.uint8)
    image = Image.fromarray(codes)
    if mode == "P":
        image = Image.frombytes("P", (3, 2), codes.tobytes())
        image.putpalette([0, 0, 0] * 256)  # all black: the index tells
    image.save(tmp_path / "codes.png")
    found = open_codes(tmp_path / "codes.png")
    assert found.dtype == np.uint8 and found.tolist() == codes.tolist()
    assert codes_in(found) == sorted(set(codes.ravel().tolist())) == [0, 1, 7, 200, 255]


def test_what_holds_no_codes_is_named(tmp_path):
    path = tmp_path / "codes.png"
    for mode in ("RGB", "I;16", "1", "RGBA", "LA"):
        Image.new(mode, (3, 2)).save(path)
        with pytest.raises(UserError, match=rf"codes\.png: codes of parts .* mode {mode}$"):
            open_codes(path)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(UserError, match=r"codes\.png: damaged image"):
        open_codes(path)
