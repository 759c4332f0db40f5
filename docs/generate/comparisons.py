"""Which attention modules differ from plain CAM on the same images, corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from wsol.board.comparison.image_scores import row_scores
from wsol.board.comparison.paired import compare
from wsol.board.rows.rows import Row
from wsol.board.tables.sections import Section
from wsol.scores.comparison.comparison import SIGNIFICANCE, Comparison


class Difference(NamedTuple):
    """A row's paired comparison with CAM, and whether it holds after Holm's correction."""

    row: Row
    comparison: Comparison
    holds: bool


def against_cam(section: Section) -> list[Difference]:
    """Each attention module's class maps against those of the same network without attention.

    In the metric that the table is ranked by. Empty where per-image arrays or a row without attention
    are missing.
    """
    class_maps = [row for row in section.rows if row["maps"] == "cam"]
    plain = {_network(row): row for row in class_maps if row["attention"] == "none"}
    compared = [
        (row, found)
        for row in class_maps
        if row["attention"] != "none" and _network(row) in plain
        for found in [_compare(row, plain[_network(row)], section.ranked_by)]
        if found is not None
    ]
    kept = holm([found.p_value for _, found in compared])
    return [Difference(row, found, holds) for (row, found), holds in zip(compared, kept, strict=True)]


def holm(p_values: Sequence[float]) -> list[bool]:
    """Which hypotheses Holm's procedure rejects at `SIGNIFICANCE`, in the order given.

    Holm, Scandinavian Journal of Statistics 1979: the smallest of n values must be below a/n, the next
    below a/(n - 1), and so on until one is not. Then the chance of any wrong finding is at most a.
    """
    rejected = [False] * len(p_values)
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    for rank, index in enumerate(order):
        if p_values[index] >= SIGNIFICANCE / (len(p_values) - rank):
            break
        rejected[index] = True
    return rejected


def _network(row: Row) -> tuple[str, str, str, str]:
    return row["backbone"], row["weights"], row["method"], row["selection"]


def _compare(row: Row, other: Row, metric: str) -> Comparison | None:
    mine, theirs = row_scores(row), row_scores(other)
    if mine is None or theirs is None:
        return None
    _, left, right = np.intersect1d(mine.image_ids, theirs.image_ids, return_indices=True)
    if not len(left) or metric not in mine.by_metric or metric not in theirs.by_metric:
        return None
    return compare(mine.by_metric[metric][left], theirs.by_metric[metric][right])
