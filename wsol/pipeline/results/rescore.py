"""``rescore``: records of an older version of the metrics are computed again from their arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsol.board.board import RUNS
from wsol.board.runs.reading import StoredRun, read_folder
from wsol.errors import UserError
from wsol.pipeline.results.plans import Plan
from wsol.pipeline.results.recompute import Recomputed, is_own, recompute, same
from wsol.progress import track
from wsol.scores.metrics import METRICS_VERSION
from wsol.scores.records import RunRecord


@dataclass
class RescorePlan(Plan):
    """The records that are ``old``, and how many are ``current``.

    Left out, and so left as they are, are damaged records and those that have no arrays here.
    """

    old: list[StoredRun] = field(default_factory=list)
    current: int = 0

    def lines(self) -> list[str]:
        """The plan for people."""
        return [
            *(f"{run.path}: metrics version {run.record.metrics_version}" for run in self.old),
            f"{len(self.old)} records to score with metrics version {METRICS_VERSION}, "
            f"{self.current} up to date, {len(self.left_out)} left as they are",
        ]


def plan(results: Path | str) -> RescorePlan:
    """What `rescore` would do in a folder of results; ``UserError`` where no sound record is there."""
    reading = read_folder(Path(results) / RUNS)
    planned = RescorePlan(left_out=list(reading.left_aside))
    for run in reading.runs:
        arrays = run.record.arrays.get("file")
        if run.record.metrics_version >= METRICS_VERSION:
            planned.current += 1
        elif arrays and run.path.with_name(arrays).is_file():
            planned.old.append(run)
        else:
            planned.left_out.append(f"{run.path}: no arrays beside it: evaluate the run again")
    return planned


def rescore(planned: RescorePlan) -> Iterator[str]:
    """Write each old record again, whole or not at all, its run id as it was; a line for each.

    Stopped half-way it goes on where it stopped: what is written is up to date.
    """
    for run in track(planned.old, len(planned.old), "scoring"):
        try:
            computed = recompute(run)
        except UserError as error:
            planned.left_out.append(str(error))
            continue
        if computed is None:
            planned.left_out.append(f"{run.path}: its arrays went away meanwhile")
            continue
        record = rescored(run.record, computed)
        record.write(run.path)
        yield f"{run.path}: {_changes(run.record, record)}"


def rescored(record: RunRecord, computed: Recomputed) -> RunRecord:
    """The record with the statistics of its arrays; those of metrics from outside stay."""
    scores = computed.scores

    def with_foreign(mine: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        return {key: each for key, each in mine.items() if not is_own(key, scores)} | new

    values = with_foreign(record.threshold.get("values", {}), scores.threshold["values"])
    return dataclasses.replace(
        record,
        metrics=with_foreign(record.metrics, scores.metrics),
        optimism=with_foreign(record.optimism, scores.optimism),
        threshold=record.threshold | {"values": values},
        specifications=record.specifications | scores.specifications,
        metrics_version=METRICS_VERSION,
    )


def _changes(old: RunRecord, new: RunRecord) -> str:
    """``mean_iou 60.40 -> 61.02; 14 intervals changed``."""
    moved, intervals = [], 0
    for key, figure in new.metrics.items():
        before = old.metrics.get(key, dict.fromkeys(figure))
        if not same(before["value"], figure["value"]):
            moved.append(f"{key} {_figure(before['value'])} -> {_figure(figure['value'])}")
        intervals += not all(same(before[bound], figure[bound]) for bound in ("low", "high"))
    return "; ".join([*moved, f"{intervals} intervals changed"])


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"
