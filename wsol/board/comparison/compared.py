"""Rows compared with another one on the images of both, remembered by the content that was compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from wsol.board.comparison.image_scores import ImageScores, row_scores
from wsol.board.comparison.paired import compare
from wsol.board.rows.rows import Row
from wsol.board.runs.memory import Memory
from wsol.scores.comparison.comparison import Comparison
from wsol.scores.records import digest

NUMBERS = ("difference", "low", "high", "p_value", "n_images")


class Against:
    """Comparisons with the row ``other``, whose arrays are read when they are first needed."""

    def __init__(self, other: Row, memory: Memory | None = None) -> None:
        self.other, self.memory = other, memory or Memory()
        self._scores: ImageScores | None = None
        self._known = _content(other)

    def of(self, row: Row, metrics: Sequence[str]) -> dict[str, Comparison]:
        """``row`` less the other, by metric; those that have no images in common with it are missing."""
        mine = _content(row)
        if mine is None or self._known is None:
            return {}
        key = digest([mine, self._known, list(metrics)])
        found = self.memory.comparison(key)
        if found is None:
            made = self._compared(row, metrics)
            found = {name: [getattr(one, part) for part in NUMBERS] for name, one in made.items()}
            self.memory.comparisons[key] = found
        return {
            name: Comparison(difference, low, high, p_value, int(count))
            for name, (difference, low, high, p_value, count) in found.items()
        }

    def _compared(self, row: Row, metrics: Sequence[str]) -> dict[str, Comparison]:
        if self._scores is None:
            self._scores = row_scores(self.other)
        scores, others = row_scores(row), self._scores
        if scores is None or others is None:
            return {}
        _, mine, theirs = np.intersect1d(scores.image_ids, others.image_ids, return_indices=True)
        found: dict[str, Comparison] = {}
        for metric in metrics:
            if metric in scores.by_metric and metric in others.by_metric:
                pairs = scores.by_metric[metric][mine], others.by_metric[metric][theirs]
                # Only images that count for both can be paired.
                both = ~np.isnan(pairs[0]) & ~np.isnan(pairs[1])
                if both.any():
                    found[metric] = compare(pairs[0][both], pairs[1][both])
        return found


def _content(row: Row) -> list[list[object]] | None:
    """All that a row's scores depend on; None where a seed's arrays are not at hand."""
    content: list[list[object]] = []
    for run in row.runs:
        arrays: Mapping[str, str] = run.record.arrays
        if not arrays.get("file") or not run.path.with_name(arrays["file"]).is_file():
            return None
        record = run.record
        content.append([arrays["sha256"], record.protocol, record.threshold.get("values")])
    return content
