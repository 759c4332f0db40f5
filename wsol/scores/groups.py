"""Groups of images that are no independent draws, such as the queries of one image."""

from __future__ import annotations

import numpy as np


def group_numbers(groups: np.ndarray) -> np.ndarray:
    """The number (n,) int64 of each one's group, from 0 in the order in which ``groups`` (n,) come."""
    _, firsts, members = np.unique(groups, return_index=True, return_inverse=True)
    numbers = np.empty(len(firsts), np.int64)
    numbers[np.argsort(firsts)] = np.arange(len(firsts))
    return numbers[members]


def first_of_each(groups: np.ndarray) -> np.ndarray:
    """The row of the first of each group, rising."""
    return np.sort(np.unique(groups, return_index=True)[1])
