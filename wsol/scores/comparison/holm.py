"""Several comparisons at once: Holm's correction within one declared family.

Holm, Scandinavian Journal of Statistics 1979.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """The adjusted p of each of a family of tests, in their order, in [0, 1].

    Calling different what is below 0.05 then errs anywhere in the family at most one time in twenty, for
    tests that depend on each other in whatever way. NaN is a test that was not made: it stays NaN and
    does not count. ``ValueError`` where one is outside [0, 1].
    """
    given = np.asarray(p_values, np.float64)
    known = np.flatnonzero(~np.isnan(given))
    if ((given[known] < 0) | (given[known] > 1)).any():
        raise ValueError(f"p values {list(p_values)} are not all in [0, 1]")
    order = known[np.argsort(given[known], kind="stable")]
    left = np.arange(len(order), 0, -1)
    adjusted = np.full(len(given), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(given[order] * left), 1)
    return adjusted.tolist()
