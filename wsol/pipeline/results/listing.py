"""``list``: one line a record, and the names by which rows are called on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from wsol.board.board import RUNS
from wsol.board.rows.columns import KEY_COLUMNS, percent
from wsol.board.rows.rows import Row, group, seed_of
from wsol.board.runs.memory import Memory
from wsol.board.runs.reading import Reading, StoredRun, read_folder
from wsol.board.tables.sections import sections
from wsol.files.csv_table import csv_text

# What a row is called needs neither: they stand beside it.
BESIDE = ("dataset", "maps")
# The longest stands last: nothing is pushed to the right by it.
HEAD = ["run_id", "seed", "figure", "version", "verifiable", "maps", "row"]


class ListedRun(NamedTuple):
    """What the list says of a record; ``figure`` is the metric its table is ranked by, in its unit."""

    run_id: str
    dataset: str
    row: str
    maps: str
    seed: int | None
    metric: str
    figure: float | None
    metrics_version: int
    verifiable: bool
    file: str


def list_results(results: Path | str) -> tuple[list[ListedRun], Reading]:
    """Every sound record of a folder of results, in the order of the board, and what was left aside.

    Raises:
        UserError: no sound record there.
    """
    results = Path(results)
    memory = Memory.of(results)
    reading = read_folder(results / RUNS, memory)
    listed: list[ListedRun] = []
    for section in sections(group(reading.runs).rows, memory):
        for row in section.rows:
            listed += [_listed(run, row, section.ranked_by, results) for run in row.runs]
    return listed, reading


def row_name(row: Row) -> str:
    """What a row is called: the board's columns, but for data set and maps, without the empty ones."""
    return ", ".join(row[column] for column in KEY_COLUMNS if row[column] and column not in BESIDE)


def to_csv(listed: Sequence[ListedRun]) -> str:
    """The list as CSV, without the last line's end."""
    return csv_text(ListedRun._fields, [_cells(run) for run in listed]).rstrip("\n")


def to_lines(listed: Sequence[ListedRun]) -> list[str]:
    """The list as text: a head for each data set and figure, the columns under it aligned."""
    lines: list[str] = []
    for (dataset, metric), runs in groupby(listed, lambda run: (run.dataset, run.metric)):
        table = [HEAD] + [_words(run) for run in runs]
        widths = [max(len(line[column]) for line in table) for column in range(len(HEAD))]
        lines += ["", f"{dataset}: {metric}"] if lines else [f"{dataset}: {metric}"]
        lines += ["  ".join(map(str.ljust, line, widths)).rstrip() for line in table]
    return lines


def _words(run: ListedRun) -> list[str]:
    return [
        run.run_id,
        "" if run.seed is None else str(run.seed),
        percent(run.figure, 1) or "none",
        str(run.metrics_version),
        "yes" if run.verifiable else "no",
        run.maps,
        run.row,
    ]


def _listed(run: StoredRun, row: Row, metric: str, results: Path) -> ListedRun:
    record = run.record
    arrays = record.arrays.get("file")
    return ListedRun(
        record.run_id,
        row["dataset"],
        row_name(row),
        record.maps,
        seed_of(record),
        metric,
        record.metrics.get(metric, {}).get("value"),
        record.metrics_version,
        bool(arrays) and run.path.with_name(arrays).is_file(),
        run.path.relative_to(results).as_posix(),
    )


def _cells(run: ListedRun) -> list[str]:
    return [
        *run[:4],
        "" if run.seed is None else str(run.seed),
        run.metric,
        percent(run.figure),
        str(run.metrics_version),
        "yes" if run.verifiable else "no",
        run.file,
    ]
