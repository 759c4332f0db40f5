"""Random whole numbers for many images at once, the same on every machine and for any count."""

from __future__ import annotations

import numpy as np

# Words that each image may use: asking for more images changes none of the others.
WORDS = 256


class Draws:
    """A column of numbers a call, one for each of ``n`` images, from raw PCG64 words.

    NumPy keeps the stream of raw words fixed across versions, which it does not promise of its
    distributions. Each image has a row of words of its own.
    """

    def __init__(self, n: int, *seed: int) -> None:
        bits = np.random.PCG64(np.random.SeedSequence(seed))
        # Of 64 bits the upper 31: products with counts below 2^32 stay within int64.
        self._words = (bits.random_raw(n * WORDS).reshape(n, WORDS) >> np.uint64(33)).astype(np.int64)
        self._used = 0

    def below(self, end: int | np.ndarray) -> np.ndarray:
        """Numbers (n,) int64 from 0 to ``end`` - 1; ``end`` may differ from image to image."""
        if self._used == WORDS:
            raise ValueError(f"an image has {WORDS} words, and all are used")
        word = self._words[:, self._used]
        self._used += 1
        return (word * end) >> 31

    def between(self, first: int | np.ndarray, last: int | np.ndarray) -> np.ndarray:
        """Numbers (n,) int64 from ``first`` to ``last``, both included."""
        return first + self.below(last - first + 1)

    def order(self, count: int) -> np.ndarray:
        """A random order (n, count) of the numbers below ``count`` for each image."""
        words = np.stack([self.below(2**31) for _ in range(count)], axis=1)
        return np.argsort(words, axis=1, kind="stable")
