"""Is a row better than another on the very same images? Paired tests over images.

Two intervals that overlap do not answer that: both rows stumble over the same hard images, and what
counts is the images on which only one of them is right.
"""

from __future__ import annotations

import math

import numpy as np

from wsol.scores.comparison.comparison import LEVEL, Comparison
from wsol.scores.comparison.mcnemar import mcnemar


def compare(scores: np.ndarray, others: np.ndarray) -> Comparison:
    """Compare two rows by their scores in [0, 1] on the same images, (n,) each, in the same order.

    Scores are right or wrong, or a mean of such over seeds or IoU levels. The thresholds are those each
    row was scored at: where the row's best threshold was chosen on these images, so was the other's,
    and to first order the choice of a best threshold does not change the error of the mean there.
    """
    if scores.shape != others.shape or scores.ndim != 1 or not len(scores):
        raise ValueError(f"scores of shapes {scores.shape} and {others.shape} cannot be paired")
    from scipy.special import ndtri  # imported late: most boards in use have nothing to pair

    differences = np.asarray(scores, np.float64) - np.asarray(others, np.float64)
    count = len(differences)
    mean = float(differences.mean())
    error = float(differences.std(ddof=1)) / math.sqrt(count) if count > 1 else math.inf
    binary = bool(np.isin(scores, (0, 1)).all() and np.isin(others, (0, 1)).all())
    if binary:
        p_value = mcnemar(int((differences > 0).sum()), int((differences < 0).sum()))
    else:
        p_value = math.erfc(abs(mean) / error / math.sqrt(2)) if error > 0 else float(mean == 0)
    reach = -ndtri((1 - LEVEL) / 2) * error
    return Comparison(100 * mean, 100 * (mean - reach), 100 * (mean + reach), p_value, count)
