"""Images that are the same picture: exact duplicates by their decoded pixels."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from wsol.data.manifest.manifest import ManifestSplit
from wsol.files.pictures.images import open_image


def pixel_digest(image: Image.Image) -> str:
    """A hash of an RGB image's size and pixels, whatever file format they came in; 32 hex digits."""
    hashed = hashlib.blake2b(repr(image.size).encode(), digest_size=16)
    hashed.update(image.tobytes())
    return hashed.hexdigest()


def duplicate_groups(digests: Iterable[str]) -> list[list[int]]:
    """Positions of equal digests, groups of two or more, in order; empty digests equal nothing."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, digest in enumerate(digests):
        if digest:
            places[digest].append(place)
    return [group for group in places.values() if len(group) > 1]


def content_groups(split: ManifestSplit) -> np.ndarray:
    """(n,) number of each image's picture: duplicates share one, e.g. to keep them in one fold.

    Decodes every image. Numbers rise with the first image of each group.
    """
    digests = [pixel_digest(open_image(path, exif=split.manifest.exif)) for path in split.paths]
    return group_numbers(digests)


def group_numbers(digests: Sequence[str]) -> np.ndarray:
    """(n,) int64: equal digests share a number, numbers rise from 0 by first occurrence."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(digest, len(numbers)) for digest in digests], np.int64)
