"""Rows -> leaderboard.csv, and the same table as a pandas frame for whoever analyses it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wsol.board.rows.columns import (
    COST_COLUMNS,
    KEY_COLUMNS,
    STATISTICS,
    UNLIKE,
    metric_columns,
    percent,
)
from wsol.board.rows.rows import Row
from wsol.board.tables.unlike import unlike_in_tables
from wsol.files.csv_table import csv_text, meant

if TYPE_CHECKING:
    import pandas as pd


def columns(rows: Sequence[Row]) -> list[str]:
    """The header; metrics from outside the suite follow its own."""
    return [
        *KEY_COLUMNS,
        "seeds",
        *(metric + statistic for metric in _metrics(rows) for statistic in STATISTICS),
        *COST_COLUMNS,
        UNLIKE,
    ]


def cells(row: Row, metrics: Sequence[str], unlike: str = "") -> list[str]:
    """The row's cells in the order of `columns`, with these metrics; what there is not is empty.

    ``unlike`` says in what the row is unlike the others of its table.
    """
    spelled = [*row.key, "" if row.seeds is None else str(row.seeds)]
    for metric in metrics:
        figure = row.estimates.get(metric)
        values = (figure.value, figure.std, figure.low, figure.high) if figure else (None,) * 4
        spelled += [percent(value) for value in values]
    return [*spelled, *row.costs().values(), unlike]


def to_csv(rows: Sequence[Row]) -> str:
    r"""The table as CSV with ``\n`` line ends; the same rows give the same bytes."""
    metrics, said = _metrics(rows), unlike_in_tables(rows)
    return csv_text(columns(rows), (cells(row, metrics, said.get(row.key, "")) for row in rows))


def frame(rows: Sequence[Row]) -> pd.DataFrame:
    """The table as a frame: text columns as text (empty where absent), numbers as numbers (NaN).

    pandas is imported here and nowhere else: it costs as much as everything else that
    ``wsol leaderboard`` does.
    """
    import pandas as pd

    text = [column for column, spelling in COST_COLUMNS.items() if not spelling]
    text = [*KEY_COLUMNS, *text, UNLIKE]
    named = columns(rows)
    numbers = [column for column in named if column not in text]
    read = pd.read_csv(
        io.StringIO(to_csv(rows)),
        names=named,
        header=0,
        dtype=dict.fromkeys(text, str),
        keep_default_na=False,
        na_values={column: [""] for column in numbers},
    )
    read[text] = read[text].map(meant)
    return read


def _metrics(rows: Sequence[Row]) -> list[str]:
    said = {key: one for row in rows for key, one in row.specifications.items()}
    return metric_columns({key for row in rows for key in row.estimates}, said)
