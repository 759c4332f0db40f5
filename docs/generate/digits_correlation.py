"""Whether rows that are better on a test of digits are better on birds: rank correlations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atanh, sqrt, tanh

import numpy as np
from digits_rows import OWN_MAPS, DigitsRows, images_of
from methods_table import without_tuned
from scipy.stats import rankdata

from wsol.board.tables.sections import Section
from wsol.pipeline.diagnosis.figures import Figure

KEY = "max_box_acc@0.5"
NORMAL = 1.959964  # the 97.5 % point


@dataclass(frozen=True)
class Correlation:
    """Spearman's rho over ``n`` modules with its 95 % interval."""

    n: int
    rho: float
    low: float
    high: float


def birds(section: Section) -> dict[str, float]:
    """The figure of each module's maps on the network that has most modules, at the recipe's rates."""
    section = without_tuned(section)
    networks = [row["backbone"] for row in section.rows]
    most = max(sorted(set(networks)), key=networks.count)
    found = {}
    for row in section.rows:
        name, value = row["attention"].partition("@")[0], row.estimates[KEY].value
        own = row["maps"].startswith("attention") if name == OWN_MAPS else row["maps"] == "cam"
        if row["backbone"] == most and own and value is not None:
            found[name] = value
    return found


def correlation(
    rows: DigitsRows, figure: Figure, on_birds: dict[str, float], attentions: Sequence[str]
) -> Correlation | None:
    """Over the modules that both have; None under four.

    The interval is that of Bonett and Wright, Psychometrika 2000: Fisher's z with a variance of
    (1 + rho^2 / 2) / (n - 3).
    """
    pairs = []
    for attention in attentions:
        value = rows.value(images_of(figure), figure.key, attention)
        name = attention.partition("(")[0]
        if value is not None and name in on_birds:
            pairs.append((value if figure.better == "high" else -value, on_birds[name]))
    if len(pairs) < 4:
        return None
    drawn, photographed = zip(*pairs, strict=True)
    rho = float(np.corrcoef(rankdata(drawn), rankdata(photographed))[0, 1])
    if abs(rho) >= 1:
        return Correlation(len(pairs), rho, rho, rho)
    reach = NORMAL * sqrt((1 + rho**2 / 2) / (len(pairs) - 3))
    return Correlation(len(pairs), rho, tanh(atanh(rho) - reach), tanh(atanh(rho) + reach))
