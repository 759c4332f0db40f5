"""Several seeds of one row -> mean, standard deviation and an interval that says what it is over."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# Under five seeds a t interval is mostly the t quantile: none is given.
SEEDS_FOR_INTERVAL = 5

# What a seed that lies far from the others is; see `far_seeds`.
SEEDS_FOR_MEDIAN = 3
FAR_POINTS = 10
FAR_DEVIATIONS = 4


@dataclass(frozen=True)
class Estimate:
    """A metric of a row, in percent.

    ``low`` and ``high`` are the 95 % interval: over the images, of this one checkpoint, where there is
    one seed (``over`` is ``"images"``); over the seeds, of the method, where there are five or more
    (``"seeds"``); none in between, since the two answer different questions and are never mixed.
    ``std`` is the sample standard deviation over seeds, None for one.
    """

    value: float | None
    std: float | None = None
    low: float | None = None
    high: float | None = None
    over: str = ""


def estimate(
    figures: Sequence[dict[str, float | None]], within: tuple[float, float] | None = None
) -> Estimate:
    """The estimate from one ``{"value", "low", "high"}`` a seed.

    A metric that one seed lacks is missing for the row: a mean of fewer seeds than the row claims
    would pass for another. The interval over seeds is cut to ``within``, where the metric's values lie:
    Student's t knows of no ceiling.
    """
    values = [figure.get("value") for figure in figures]
    known = [float(value) for value in values if value is not None]
    if not known or len(known) < len(values):
        return Estimate(None)
    if len(known) == 1:
        low, high = figures[0].get("low"), figures[0].get("high")
        return Estimate(known[0], None, low, high, "images" if low is not None else "")
    mean = math.fsum(known) / len(known)
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in known) / (len(known) - 1))
    if len(known) < SEEDS_FOR_INTERVAL:
        return Estimate(mean, std)
    reach = t_quantile(len(known) - 1) * std / math.sqrt(len(known))
    least, most = within or (-math.inf, math.inf)
    return Estimate(mean, std, max(least, mean - reach), min(most, mean + reach), "seeds")


def far_seeds(values: Sequence[float | None]) -> list[int]:
    """Which seeds lie far from the others, by their place in ``values`` (percent).

    A rule of ours: more than `FAR_POINTS` points and more than `FAR_DEVIATIONS` robust standard
    deviations from the median of three seeds or more, the robust one being 1.4826 times the median
    distance from the median. Such a run most often has collapsed, and then the seeds' mean, deviation
    and t interval describe neither kind of run.
    """
    known = [value for value in values if value is not None]
    if len(known) < SEEDS_FOR_MEDIAN:
        return []
    middle = statistics.median(known)
    spread = 1.4826 * statistics.median(abs(value - middle) for value in known)
    reach = max(FAR_POINTS, FAR_DEVIATIONS * spread)
    return [
        place for place, value in enumerate(values) if value is not None and abs(value - middle) > reach
    ]


def t_quantile(freedom: int, coverage: float = 0.95) -> float:
    """The two-sided quantile of Student's t.

    scipy is imported where several seeds need it: a board of single seeds goes without.
    """
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + coverage) / 2))
