"""Squashed images of a split: decoded once and kept where they fit, else decoded when asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from wsol.data.images import open_image
from wsol.data.manifest import ManifestSplit
from wsol.data.transforms import squash
from wsol.errors import UserError

# Splits below this many bytes stay decoded between epochs: decoding can cost more than a small network.
MEMORY_LIMIT = 512 * 2**20


class DecodedImages:
    """Image ``index`` of a split as (side, side, 3) uint8; the same pixels, kept in memory or not."""

    def __init__(self, split: ManifestSplit, side: int, *, keep: bool) -> None:
        self.paths, self.side, self.exif = split.paths, side, split.manifest.exif
        self.pixels: np.ndarray | None = None
        if keep and len(split) * side * side * 3 <= MEMORY_LIMIT:
            self.pixels = _decode_all(tuple(self.paths), side, self.exif, split.manifest.hash)

    def __getitem__(self, index: int) -> np.ndarray:
        if self.pixels is not None:
            return self.pixels[index]
        return _decode(self.paths[index], self.side, self.exif)


@lru_cache(maxsize=1)  # the next epoch and the next row of a benchmark ask for the same split
def _decode_all(paths: tuple[str, ...], side: int, exif: bool, manifest_hash: str) -> np.ndarray:
    """(n, side, side, 3); the hash is part of the key alone: a data set prepared anew is read anew."""
    pixels = np.empty((len(paths), side, side, 3), np.uint8)

    def decode(index: int) -> str:
        try:
            pixels[index] = _decode(paths[index], side, exif)
        except UserError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor() as pool:
        findings = [finding for finding in pool.map(decode, range(len(paths))) if finding]
    if findings:
        raise UserError.of(findings)
    return pixels


def _decode(path: str, side: int, exif: bool) -> np.ndarray:
    try:
        return squash(open_image(path, exif=exif), side)
    except FileNotFoundError:
        raise UserError(f"{path}: missing; run `wsol prepare` again") from None
