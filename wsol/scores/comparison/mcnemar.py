"""McNemar's exact test: two rows, each right or wrong on the same images, at thresholds given before.

McNemar, Psychometrika 1947: only the images on which one row alone is right tell them apart, and under
the null hypothesis each of these is a fair coin.
"""

from __future__ import annotations


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p from the numbers of images on which only the first, only the second is right."""
    from scipy.special import bdtr  # imported late: most boards in use have nothing to pair

    total = only_first + only_second
    if total == 0:
        return 1.0
    return min(1.0, 2 * float(bdtr(min(only_first, only_second), total, 0.5)))


def mcnemar_interval(
    only_first: int, only_second: int, images: int, level: float
) -> tuple[float, float]:
    """The differences in points that the exact test does not refute; without 0 where p < 1 - ``level``.

    From the interval of Clopper and Pearson (Biometrika 1934) of the coin. How many images tell the rows
    apart counts as given, so that it is a little narrow where the rows differ much.
    """
    from scipy.special import betaincinv

    total, tail = only_first + only_second, (1 - level) / 2
    low = betaincinv(only_first, only_second + 1, tail) if only_first else 0.0
    high = betaincinv(only_first + 1, only_second, 1 - tail) if only_second else 1.0
    return 100 * (2 * float(low) - 1) * total / images, 100 * (2 * float(high) - 1) * total / images
