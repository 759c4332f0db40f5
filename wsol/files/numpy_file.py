"""Arrays of ``.npy`` and ``.npz`` files, whose headers are checked before memory is taken for them.

A file of a hundred bytes may declare an array of terabytes, and a zip of megabytes may inflate to
gigabytes. What is declared must be what is there, and no more than the caller has use for.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000  # NumPy's own limit for files from others
BLOCK = 2**24
# What NumPy writes; of other kinds a few bytes may unpack to any number in one call.
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Limit(NamedTuple):
    """How large the arrays of one file may be together: values, and bytes."""

    values: int
    bytes: int


def read_arrays(file: Path | BinaryIO, limit: Limit) -> list[tuple[str, np.ndarray]]:
    """The arrays of a ``.npz`` file by name, in their order, or the one of a ``.npy`` file, "".

    What else lies in an archive is left out.

    Raises:
        OSError: the file cannot be read.
        ValueError: in one line: no such file, a header that does not say what is there, Python objects,
            or arrays beyond the ``limit``.
    """
    try:
        if isinstance(file, Path):
            with file.open("rb") as opened:
                return list(_arrays(opened, limit))
        return list(_arrays(file, limit))
    except OSError:
        raise
    except Exception as error:  # zlib's, zipfile's, a tokenizer's of the header
        raise ValueError(" ".join(str(error).split())[:200] or type(error).__name__) from error


def _arrays(file: BinaryIO, limit: Limit) -> Iterator[tuple[str, np.ndarray]]:
    size = file.seek(0, io.SEEK_END)
    if not size:
        raise ValueError("it is empty")
    file.seek(0)
    if file.read(len(MAGIC)) == MAGIC:
        file.seek(0)
        yield "", _array(file, size, limit)
        return
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.compress_type not in COMPRESSIONS:
                raise ValueError(f"{member.filename} is compressed in a way that NumPy does not write")
            with archive.open(member) as stream:
                if stream.read(len(MAGIC)) != MAGIC:
                    continue
            with archive.open(member) as stream:
                array = _array(stream, member.file_size, limit)
            limit = Limit(limit.values - array.size, limit.bytes - array.nbytes)
            yield member.filename.removesuffix(".npy"), array


def _array(stream: Any, size: int, limit: Limit) -> np.ndarray:
    """The array in a stream of ``size`` bytes."""
    head = stream.read(LONGEST_HEADER + 12)
    shape, by_columns, dtype, start = _header(head)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are not read")
    count = math.prod(shape)
    length = count * dtype.itemsize
    if count > limit.values or length > limit.bytes:
        raise ValueError(
            f"it declares {' x '.join(map(str, shape))} values of {dtype}, which is too many"
        )
    if start + length != size:
        raise ValueError(f"it declares {length:,} bytes of values and holds {size - start:,}")
    content = np.empty(length, np.uint8)
    _fill(content, head[start:], stream)
    values = content.view(dtype) if length else np.empty(count, dtype)
    return values.reshape(shape[::-1]).T if by_columns else values.reshape(shape)


def _header(head: bytes) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Shape, whether columns come first, type, and where the values begin."""
    stream = io.BytesIO(head)
    version = np.lib.format.read_magic(stream)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"its version {version[0]}.{version[1]} of NumPy's format is not read")
    return *readers[version](stream, max_header_size=LONGEST_HEADER), stream.tell()


def _fill(content: np.ndarray, first: bytes, stream: Any) -> None:
    """Fill uint8 (n,) with the ``first`` bytes and those that follow in the stream, to its end."""
    first = first[: len(content)]
    content[: len(first)] = np.frombuffer(first, np.uint8)
    filled = len(first)
    while filled < len(content):
        block = stream.read(min(BLOCK, len(content) - filled))
        if not block:
            raise ValueError(f"it declares {len(content):,} bytes of values and holds {filled:,}")
        content[filled : filled + len(block)] = np.frombuffer(block, np.uint8)
        filled += len(block)
    # At its end a zip compares its checksum.
    if stream.read(1):
        raise ValueError("bytes follow its values")
