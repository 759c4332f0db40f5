"""Sums of matched and unmatched predictions and of true objects by class, for weighted images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wsol.evaluation.objects.tally import Tallied


class GroupSums:
    """Weights (B, N) of the images to sums by class, at the ``levels`` (places of bits) asked for."""

    def __init__(self, tallied: Tallied, classes: int, levels: Sequence[int]) -> None:
        from scipy.sparse import csr_array, vstack

        def table(image: np.ndarray, group: np.ndarray) -> csr_array:
            ones = np.ones(len(image), np.float32)
            return csr_array((ones, (group, image)), shape=(classes, max(tallied.images, 1)))

        tables = []
        for level in levels:
            right = ((tallied.hit >> level) & 1).astype(bool)
            wrong = ~right & ~((tallied.void >> level) & 1).astype(bool)
            tables += [table(tallied.image[kept], tallied.classes[kept]) for kept in (right, wrong)]
        tables.append(table(tallied.true_image, tallied.true_classes))
        self._tables, self._classes = csr_array(vstack(tables)), classes

    def __call__(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Matched and unmatched predictions, (B, K, L) each, and true objects (B, K), float64."""
        sums = (self._tables @ weights.T).astype(np.float64).T.reshape(len(weights), -1, self._classes)
        by_level = sums[:, :-1].transpose(0, 2, 1)
        return by_level[..., 0::2], by_level[..., 1::2], sums[:, -1]
