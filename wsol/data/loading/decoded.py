"""Squashed images of a split: decoded once and kept in memory if they fit, else decoded when used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from wsol.data.loading.transforms import squash
from wsol.data.manifest.manifest import ManifestSplit
from wsol.errors import UserError
from wsol.files.pictures.images import open_image

# Splits below this many bytes stay decoded between epochs: for a small network, decoding can take longer
# than the training itself.
MEMORY_LIMIT = 512 * 2**20


class DecodedImages:
    """Image ``index`` of a split as (side, side, 3) uint8; the same pixels, kept in memory or not."""

    def __init__(self, split: ManifestSplit, side: int, *, keep: bool, reduced: bool = False) -> None:
        self.paths, self.decoding = split.paths, Decoding(side, split.manifest.exif, reduced)
        self.pixels: np.ndarray | None = None
        if keep and len(split) * side * side * 3 <= MEMORY_LIMIT:
            self.pixels = _decode_all(tuple(self.paths), self.decoding, split.manifest.hash)

    def __getitem__(self, index: int) -> np.ndarray:
        if self.pixels is not None:
            return self.pixels[index]
        return self.decoding(self.paths[index])


class Decoding(NamedTuple):
    """How a file becomes pixels: squashed to ``side``, turned by EXIF, a JPEG at ``reduced`` scale."""

    side: int
    exif: bool
    reduced: bool

    def __call__(self, path: str) -> np.ndarray:
        """(side, side, 3) uint8."""
        try:
            # A JPEG is decoded no smaller than twice the side, so that the squashing still antialiases.
            at_least = 2 * self.side if self.reduced else None
            return squash(open_image(path, exif=self.exif, at_least=at_least), self.side)
        except FileNotFoundError:
            raise UserError(f"{path}: missing; run `wsol prepare` again") from None


@lru_cache(maxsize=1)  # the next epoch and the next row of a benchmark ask for the same split
def _decode_all(paths: tuple[str, ...], decoding: Decoding, manifest_hash: str) -> np.ndarray:
    """(n, side, side, 3). ``manifest_hash`` only distinguishes entries of the cache, so that a data set
    which was prepared again is read again.
    """
    pixels = np.empty((len(paths), decoding.side, decoding.side, 3), np.uint8)

    def decode(index: int) -> str:
        try:
            pixels[index] = decoding(paths[index])
        except UserError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor() as pool:
        findings = [finding for finding in pool.map(decode, range(len(paths))) if finding]
    if findings:
        raise UserError.of(findings)
    return pixels
