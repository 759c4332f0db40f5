"""Bounds of a share that hold where a bootstrap has nothing to draw: at 0 and 100 %, of few images.

Of images that are all right every resample is all right too, and percentiles say 100 [100, 100].
Wilson's bounds (Journal of the American Statistical Association, 1927) are those shares of the
population that are not refuted by the images: three of three allow 44 %.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np


def score_bounds(value: float, draws: np.ndarray, images: int, level: float) -> tuple[float, float]:
    """Wilson's bounds of a metric's ``value``, all in percent, for ``images`` >= 1.

    ``draws`` (B,) are its bootstrap replicates. A metric that is no share of right images (mean IoU, a
    mean over IoU levels) scatters less than one does, so that its images are worth more: as many times
    more as ``draws`` scatter less. That generalisation is ours. One image that scatters like a share is
    added, since a few alike values are no proof that all are: for images right or wrong it changes
    nothing.
    """
    share = min(max(value / 100, 0.0), 1.0)
    as_share = images * share * (1 - share)
    spread = images**2 * float(np.var(draws)) / 100**2
    worth = images * (as_share + 1) / (spread + 1)
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = (share + z**2 / (2 * worth)) / (1 + z**2 / worth)
    reach = z / (1 + z**2 / worth) * math.sqrt(share * (1 - share) / worth + (z / (2 * worth)) ** 2)
    return 100 * (middle - reach), 100 * (middle + reach)


def difference_bounds(value: float, draws: np.ndarray, images: int, level: float) -> tuple[float, float]:
    """The same of a difference of two shares of the same images, in points from -100 to 100.

    Half of it, from the middle on, is a share. Where images are right or wrong they agree with McNemar's
    exact test at 0: three images that one row alone gets right are no difference, six are.
    """
    low, high = score_bounds(50 + value / 2, 50 + draws / 2, images, level)
    return 2 * low - 100, 2 * high - 100
