"""Grey PNG files whose bytes are the same on every machine.

Compressed bytes depend on the zlib that Pillow was built with; stored ones are fixed by the format.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

STORED_BLOCK = 65535  # the longest block deflate can store


def grey_png(pixels: np.ndarray) -> bytes:
    """An (h, w) uint8 array as an uncompressed 8-bit grey PNG file."""
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)  # the leading zero of a row: no filter
    rows[:, 1:] = pixels
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", _stored(rows.tobytes())), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    )


def _stored(content: bytes) -> bytes:
    """A zlib stream of stored blocks."""
    blocks = [content[start : start + STORED_BLOCK] for start in range(0, len(content), STORED_BLOCK)]
    stream = b"\x78\x01"
    for position, block in enumerate(blocks, start=1):
        stream += struct.pack("<BHH", position == len(blocks), len(block), len(block) ^ 0xFFFF) + block
    return stream + struct.pack(">I", zlib.adler32(content))
