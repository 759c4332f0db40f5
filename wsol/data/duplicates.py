"""Images that are the same picture: exact duplicates by their decoded pixels."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from PIL import Image


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
