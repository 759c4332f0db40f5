"""Files that are damaged, cut, too large, out of reach or no images."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.errors import UserError
from wsol.files.pictures.images import UnreachableFile, image_size, open_image, open_mask


def gradient(height: int = 4, width: int = 6) -> np.ndarray:
    return np.arange(height * width, dtype=np.uint8).reshape(height, width) * 10


def test_what_the_system_does_not_hand_over_is_no_damage(tmp_path, monkeypatch):
    path = tmp_path / "locked.png"
    Image.fromarray(gradient()).save(path)

    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Image, "open", refuse)
    for read in (image_size, open_image, open_mask):
        with pytest.raises(UnreachableFile, match=r"locked\.png: cannot be read \(Permission denied\)$"):
            read(path)


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
