"""Pictures of a few bytes that would unpack to gigabytes are refused by every reader, in one line."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc
import zlib

import pytest
from PIL import Image

from wsol.errors import UserError
from wsol.evaluation.masks import read_mask
from wsol.files.pictures.images import MAX_PIXELS, image_size, open_codes, open_image, open_mask
from wsol.files.pictures.pixel_sources import as_image

READERS = [image_size, open_image, open_mask, open_codes, as_image, read_mask]


def chunk(kind, content):
    end = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + end


def png(path, width, height, *more):
    """A grey PNG of a size, with ``more`` chunks before its pixels, which are two rows of zeros."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(2 * (width + 1)) if width < 100 else b"")
    parts = (chunk(b"IHDR", header), *more, chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def jpeg(path):
    """A JPEG whose header claims 65500 x 65500 pixels."""
    Image.new("RGB", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    place = content.index(b"\xff\xc0") + 5
    content[place : place + 4] = struct.pack(">HH", 65500, 65500)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_a_size_beyond_every_image(read, kind, tmp_path):
    path = png(tmp_path / "bomb.png", 30000, 30000) if kind == "png" else jpeg(tmp_path / "bomb.jpg")
    tracemalloc.start()
    with pytest.raises(UserError, match=rf"bomb\.{kind}: .*pixels") as caught:
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert MAX_PIXELS == 2 * Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("kind", "start"), [(b"zTXt", b"comment\0\0"), (b"iCCP", b"profile\0\0"), (b"iTXt", b"c\0\1\0\0\0")]
)
def test_text_and_profiles_are_never_unpacked_whole(read, kind, start, tmp_path):
    """Ten kilobytes beside the pixels of a small picture, which are ten megabytes unpacked."""
    path = png(tmp_path / "a.png", 2, 2, chunk(kind, start + zlib.compress(bytes(10 * 2**20), 9)))
    assert path.stat().st_size < 20_000
    tracemalloc.start()
    with contextlib.suppress(UserError):  # left aside, or the picture refused
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    tracemalloc.stop()
