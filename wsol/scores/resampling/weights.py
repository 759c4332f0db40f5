"""How often each image is drawn: resamples as weights of the images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wsol.scores.groups import group_numbers

RESAMPLES = 2000
SEED = 0
BLOCK_BYTES = 8 * 2**20


def resample_weights(
    n: int,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    block_bytes: int = BLOCK_BYTES,
    groups: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """How often each of ``n`` images was drawn, in blocks (b, n) float32 of ``resamples`` rows in all.

    The same numbers whatever the block size. Where ``groups`` (n,) names what is drawn together, such as
    the queries of one image, groups are drawn, and each of their members as often as its group.
    """
    generator = np.random.default_rng(seed)
    rows = max(1, block_bytes // (4 * max(n, 1)))
    member = None if groups is None else group_numbers(groups)
    drawn = n if member is None else int(member.max(initial=-1)) + 1
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        weights = np.empty((count, n), np.float32)
        for row in range(count):
            times = np.bincount(generator.integers(0, drawn, drawn, dtype=np.int32), minlength=drawn)
            weights[row] = times if member is None else times[member]
        yield weights
