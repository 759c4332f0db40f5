"""The file of per-image arrays: few bytes, and the same bytes for the same arrays.

Evaluation writes it, evaluation and the leaderboard read it: this is its one description.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np

from wsol.files.numpy_file import Limit, read_arrays

LEVEL = 6  # of zlib; 9 takes many times as long for one percent
# Where nobody says how many images there are.
MOST_BYTES = 2**32


# How the large arrays are stored: their type in memory, and whether neighbouring columns are alike.
STORED: dict[str, tuple[type[np.unsignedinteger], bool]] = {
    "single": (np.uint16, True),
    "all": (np.uint8, True),
    "positives": (np.uint32, False),
    "negatives": (np.uint32, False),
}


def pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The file's bytes; the arrays named in `STORED` are taken apart."""
    packed = dict(arrays)
    for name, (_, smooth) in STORED.items():
        if name in packed:
            packed[name] = to_planes(differences(packed[name]) if smooth else packed[name])
    return deterministic_npz(packed)


def unpack(content: bytes, most_bytes: int = MOST_BYTES) -> dict[str, np.ndarray]:
    """The arrays that `pack` was given, of so many bytes at most; ``ValueError`` at another file."""
    arrays = dict(read_arrays(io.BytesIO(content), Limit(most_bytes, most_bytes)))
    for name, (dtype, smooth) in STORED.items():
        if name in arrays:
            values = from_planes(arrays[name], dtype)
            arrays[name] = from_differences(values) if smooth else values
    return arrays


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
            file.writestr(entry, content.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=LEVEL)
    return buffer.getvalue()


def to_planes(values: np.ndarray) -> np.ndarray:
    """Unsigned values (n, c) byte by byte, low bytes first: uint8 (bytes, n, c).

    Bytes that are 0 everywhere are left out; the rest deflates better apart than mixed.
    """
    planes = [(values >> (8 * byte)).astype(np.uint8) for byte in range(values.dtype.itemsize)]
    while len(planes) > 1 and not planes[-1].any():
        planes.pop()
    return np.stack(planes)


def from_planes(planes: np.ndarray, dtype: type[np.unsignedinteger]) -> np.ndarray:
    """The values (n, c) that `to_planes` took apart; ``ValueError`` where it took apart no such type."""
    if planes.dtype != np.uint8 or planes.ndim != 3 or len(planes) > np.dtype(dtype).itemsize:
        raise ValueError(f"planes of bytes have shape {planes.shape}, dtype {planes.dtype}")
    values = np.zeros(planes.shape[1:], dtype)
    for byte, plane in enumerate(planes):
        values |= plane.astype(dtype) << dtype(8 * byte)
    return values


def differences(values: np.ndarray) -> np.ndarray:
    """Unsigned values (n, c) as differences along c, modulo their range: neighbours are much alike."""
    return np.diff(values, axis=1, prepend=values.dtype.type(0))


def from_differences(steps: np.ndarray) -> np.ndarray:
    """The values (n, c) whose `differences` these are."""
    return np.cumsum(steps, axis=1, dtype=steps.dtype)
