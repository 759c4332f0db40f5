"""Random numbers that belong to an image: the same whatever batch, process or machine it is read in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def generator_of_image(image_id: str) -> torch.Generator:
    """A generator on the CPU, seeded by the image's id."""
    return torch.Generator().manual_seed(_seed(image_id))


@contextmanager
def drawn_by(image_id: str) -> Iterator[None]:
    """Within the context torch's own generator of the CPU draws what belongs to the image.

    For libraries that take no generator. Afterwards it goes on where it was.
    """
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(_seed(image_id))
    try:
        yield
    finally:
        torch.set_rng_state(state)


def _seed(image_id: str) -> int:
    digest = hashlib.blake2b(image_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
