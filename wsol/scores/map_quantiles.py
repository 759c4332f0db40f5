"""How much of an image lies at or above a score, from the quantiles of its map."""

from __future__ import annotations

import numpy as np

# Into how many parts of equal area the quantiles cut a map.
PARTS = 64


def share_above(quantiles: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Shares (n, C) in [0, 1] of the pixels of n maps at or above scores (C,).

    ``quantiles`` (n, `PARTS` + 1) rise along the second axis, from the lowest score to the highest.
    Between two of them pixels are taken as evenly spread, so that a share may be wrong by 1/64 at most.
    0 where quantiles are NaN: what is no map shows nothing.
    """
    shares = np.zeros((len(quantiles), len(thresholds)))
    rows = np.arange(len(quantiles))
    for column, threshold in enumerate(thresholds):
        lower = (quantiles < threshold).sum(axis=1)
        inside = (lower > 0) & (lower <= PARTS)
        below, above = quantiles[rows, lower - 1], quantiles[rows, np.minimum(lower, PARTS)]
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(inside, (threshold - below) / (above - below), 0.0)
        left = np.where(lower == 0, 0.0, lower - 1 + part) / PARTS
        shares[:, column] = np.where(lower > PARTS, 0.0, 1 - left)
    shares[np.isnan(quantiles).any(axis=1)] = 0.0
    return shares
