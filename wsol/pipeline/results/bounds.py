"""``bounds``: what the maps of each row would reach if each image had its own best threshold."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wsol.board.board import RUNS
from wsol.board.comparison.image_scores import read_arrays
from wsol.board.rows.columns import percent
from wsol.board.rows.rows import Row, group
from wsol.board.rows.seeds import Estimate, estimate
from wsol.board.runs.memory import Memory
from wsol.board.runs.reading import Reading, StoredRun, read_folder
from wsol.board.tables.sections import sections
from wsol.errors import UserError
from wsol.evaluation.split_scores import compute
from wsol.files.csv_table import csv_text
from wsol.pipeline.results.listing import row_name
from wsol.scores.metrics.best_per_image import PLACE, BestPerImageMetric
from wsol.scores.protocol import Protocol, ThresholdPolicy

Figure = dict[str, float | None]
HEAD = ("dataset", "row", "maps", "seeds", "iou", "max_box_acc", "best_per_image", "low", "high")


class Bound(NamedTuple):
    """A row's MaxBoxAcc at one IoU, one threshold for all images, and its bound, one an image."""

    dataset: str
    row: str
    maps: str
    seeds: int
    iou: float
    scored: Estimate
    bound: Estimate


def bounds(results: Path | str, ious: Sequence[float] = ()) -> tuple[list[Bound], Reading]:
    """The bounds of all rows whose arrays lie beside their records, and what was left aside.

    Args:
        results: folder of results.
        ious: at which; none takes those of each protocol.

    Raises:
        UserError: no sound record there; an IoU that no row is scored at; damaged arrays.
    """
    results = Path(results)
    memory = Memory.of(results)
    reading = read_folder(results / RUNS, memory)
    rows = [row for section in sections(group(reading.runs).rows, memory) for row in section.rows]
    known = {iou for row in rows for run in row.runs for iou in _protocol(run).ious}
    if unknown := [iou for iou in ious if iou not in known]:
        there = ", ".join(f"{iou:g}" for iou in sorted(known)) or "none"
        raise UserError(f"{results}: no row is scored at IoU {unknown[0]:g}; there are {there}")
    return [bound for row in rows for bound in _of_row(row, ious)], reading


def to_csv(found: Sequence[Bound]) -> str:
    """The bounds as CSV, without the last line's end."""
    return csv_text(HEAD, [_cells(bound, 4) for bound in found]).rstrip("\n")


def to_lines(found: Sequence[Bound]) -> list[str]:
    """The bounds as text, its columns aligned."""
    table = [list(HEAD), *(_cells(bound, 1) for bound in found)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEAD))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in table]


def _of_row(row: Row, ious: Sequence[float]) -> list[Bound]:
    seeds = [_of_run(run, ious) for run in row.runs]
    there = [found for found in seeds if found]
    if len(there) < len(seeds):  # a mean of fewer seeds than the row has would pass for another
        return []
    return [
        Bound(
            row["dataset"],
            row_name(row),
            row["maps"],
            len(there),
            iou,
            estimate([found[iou][0] for found in there]),
            estimate([found[iou][1] for found in there]),
        )
        for iou in there[0]
    ]


def _of_run(run: StoredRun, ious: Sequence[float]) -> dict[float, tuple[Figure, Figure]]:
    """By IoU: MaxBoxAcc and its bound; empty where no arrays, or no boxes, are at hand."""
    arrays = read_arrays(run)
    if arrays is None or not arrays.has("boxes"):
        return {}
    protocol = _protocol(run)
    asked = [iou for iou in protocol.ious if not ious or iou in ious]
    keys = {iou: BestPerImageMetric(iou).key for iou in asked}
    found = compute(arrays, protocol, ThresholdPolicy("oracle"), keys=list(keys.values())).metrics
    scored = run.record.metrics
    return {iou: (scored.get(f"max_box_acc@{iou:g}", {}), found[key]) for iou, key in keys.items()}


def _protocol(run: StoredRun) -> Protocol:
    """The run's own, with the bound as its metric."""
    return dataclasses.replace(Protocol.of_record(run.record.protocol), metrics=(PLACE,))


def _cells(bound: Bound, places: int) -> list[str]:
    figures = [bound.scored.value, bound.bound.value, bound.bound.low, bound.bound.high]
    return [
        *bound[:3],
        str(bound.seeds),
        f"{bound.iou:g}",
        *(percent(figure, places) for figure in figures),
    ]
