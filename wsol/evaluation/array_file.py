"""Per-image arrays in few bytes, and the same bytes for the same arrays."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np


def deterministic_npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """A compressed npz file without pickles, sorted by name.

    ``np.savez`` stamps the time of writing into the file, and its hash would change with it.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in sorted(arrays):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            file.writestr(entry, content.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()


def differences(values: np.ndarray) -> np.ndarray:
    """Unsigned values (n, c) as differences along c, modulo their range, byte by byte (bytes, n, c).

    Neighbouring cuts of a score map resemble each other: the differences, high bytes apart from low
    ones, deflate to two thirds of what the values do.
    """
    steps = np.diff(values, axis=1, prepend=values.dtype.type(0))
    little_endian = steps.astype(steps.dtype.newbyteorder("<"))
    return np.moveaxis(little_endian.view(np.uint8).reshape(*values.shape, values.dtype.itemsize), -1, 0)


def from_differences(planes: np.ndarray) -> np.ndarray:
    """The values (n, c) that `differences` took apart."""
    size = len(planes)
    steps = np.ascontiguousarray(np.moveaxis(planes, 0, -1)).view(f"<u{size}")[..., 0]
    return np.cumsum(steps, axis=1, dtype=f"u{size}")
