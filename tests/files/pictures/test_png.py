from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from wsol.files.pictures.png import grey_png


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (64, 64), (300, 300)])
def test_pillow_reads_what_was_written(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    image = Image.open(io.BytesIO(grey_png(pixels)))
    assert image.mode == "L"
    np.testing.assert_array_equal(np.asarray(image), pixels)


def test_the_bytes_are_those_the_format_prescribes():
    # Signature, IHDR of 2 x 1, one stored block (01, length 3, its complement), no filter, two pixels.
    content = grey_png(np.array([[7, 200]], np.uint8))
    data = content[content.index(b"IDAT") + 4 :]
    assert data[:10].hex() == "7801010300fcff0007c8"
    assert data[10:14] == zlib.adler32(bytes([0, 7, 200])).to_bytes(4, "big")
