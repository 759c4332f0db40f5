"""Runs -> rows: what a row is called, which seeds it has, and runs that contradict each other."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from wsol.board.columns import BASELINES, COST_COLUMNS, KEY_COLUMNS
from wsol.board.reading import StoredRun
from wsol.board.seeds import Estimate, estimate
from wsol.errors import UserError
from wsol.recipe import AttentionSettings, EvaluationSettings
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.records import RunRecord

DEFAULT_STEP = EvaluationSettings().step


@dataclass(frozen=True)
class Row:
    """One row of the board: its key, by `KEY_COLUMNS`, and its runs, one a seed, by rising seed."""

    key: tuple[str, ...]
    runs: tuple[StoredRun, ...]

    def __getitem__(self, column: str) -> str:
        return self.key[KEY_COLUMNS.index(column)]

    @property
    def records(self) -> list[RunRecord]:
        """The records, by rising seed."""
        return [run.record for run in self.runs]

    @property
    def seeds(self) -> int | None:
        """How many seeds; None for what has none, such as the centred box."""
        return None if seed_of(self.records[0]) is None else len(self.runs)

    @property
    def baseline(self) -> str:
        """What tables call maps that every localizer has to beat; empty where the maps are no such."""
        source = (self.records[0].recipe.get("how") or {}).get("source")
        if not isinstance(source, Mapping):
            return BASELINES.get(self["maps"], "")
        return str(source.get("title") or self["maps"]) if source.get("baseline") else ""

    @property
    def is_baseline(self) -> bool:
        """Whether the maps are ones that every localizer has to beat."""
        return bool(self.baseline)

    @cached_property
    def estimates(self) -> dict[str, Estimate]:
        """Metric key to its estimate over this row's seeds."""
        keys = sorted({key for record in self.records for key in record.metrics})
        return {key: estimate([record.metrics.get(key, {}) for record in self.records]) for key in keys}

    @cached_property
    def specifications(self) -> dict[str, MetricSpecification]:
        """What its records say of each metric, by key."""
        return {key: one for record in self.records for key, one in record.specifications.items()}

    def optimism(self, metric: str) -> float | None:
        """By how much choosing the threshold on the scored images flatters ``metric``, over seeds."""
        return _mean(record.optimism.get(metric) for record in self.records)

    def costs(self) -> dict[str, str]:
        """The columns after the metrics, spelled out; empty where unknown."""
        return {column: _spelled(column, self.records) for column in COST_COLUMNS}


def group(runs: Iterable[StoredRun]) -> list[Row]:
    """Rows sorted by key.

    Raises:
        UserError: two runs of one row differ in more than the seed, so that no mean over them is the
            mean of one method.
    """
    by_key: dict[tuple[str, ...], list[StoredRun]] = defaultdict(list)
    for run in runs:
        by_key[row_key(run.record)].append(run)
    findings: list[str] = []
    rows: list[Row] = []
    for key, members in sorted(by_key.items()):
        members.sort(key=lambda run: (seed_of(run.record) or 0, run.record.run_id))
        findings += _contradictions(members)
        rows.append(Row(key, tuple(members)))
    if findings:
        raise UserError.of(findings)
    return rows


def row_key(record: RunRecord) -> tuple[str, ...]:
    """The record's `KEY_COLUMNS`; empty where a part does not exist: the centred box has no network."""
    what = record.recipe["what"]
    return (
        str(record.dataset.get("name", "")),
        str(record.dataset.get("split", "")),
        _text(what, "backbone", "name"),
        _text(what, "weights", "name"),
        _label(what.get("attention")),
        _label(what.get("method")),
        record.maps,
        _protocol(record.protocol),
        str(record.threshold["policy"]),
        _text(what, "training", "selection"),
    )


def seed_of(record: RunRecord) -> int | None:
    """The seed the run was trained with."""
    return record.recipe["what"].get("seed")


def _contradictions(members: list[StoredRun]) -> list[str]:
    first = members[0]
    findings = []
    for other in members[1:]:
        mine, theirs = _identity(first.record), _identity(other.record)
        keys = sorted(key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key))
        if keys:
            values = f"{mine.get(keys[0])!r} and {theirs.get(keys[0])!r}"
            findings.append(
                f"{first.path} and {other.path} share one row of the board but differ in {keys[0]} "
                f"({values}); move one to another folder of results"
            )
    return findings


def _identity(record: RunRecord) -> dict[str, Any]:
    """Everything the run's id is made of, but for the seed and the row's own columns, flat."""
    content = {
        **{key: value for key, value in record.recipe["what"].items() if key != "seed"},
        "dataset": {"manifest_hash": record.dataset["manifest_hash"]},
        "protocol": {"version": record.protocol.get("version")},
    }
    return dict(_flat(content, ""))


def _flat(node: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + str(key), value


def _text(what: Mapping[str, Any], part: str, name: str) -> str:
    section = what.get(part)
    return str(section.get(name, "")) if isinstance(section, Mapping) else str(section or "")


def _label(part: Any) -> str:
    """Name, options and place in the one spelling of `Attention.label`."""
    if not isinstance(part, Mapping):
        return str(part or "")
    return AttentionSettings(
        name=str(part.get("name", "")), at=list(part.get("at") or []), options=part.get("options") or {}
    ).label


def _protocol(protocol: Mapping[str, Any]) -> str:
    """The protocol's name, with its threshold step where that is not the default."""
    step = protocol.get("step")
    name = str(protocol.get("name", ""))
    return name if step in (None, DEFAULT_STEP) else f"{name}(step={step})"


def _spelled(column: str, records: list[RunRecord]) -> str:
    spelling = COST_COLUMNS[column]
    values = [_cost(record, column) for record in records]
    if not spelling:
        return "; ".join(sorted({str(value) for value in values if value not in (None, "")}))
    mean = _mean(values)
    if mean is None:
        return ""
    return f"{round(mean):d}" if spelling == "d" else f"{mean:{spelling}}"


def _cost(record: RunRecord, column: str) -> Any:
    what, how = record.recipe["what"], record.recipe.get("how") or {}
    if column == "input_size":
        return (what.get("data") or {}).get("input_size")
    if column in ("pretraining", "extra_supervision", "tuning_trials"):
        return how.get(column)
    value = record.cost.get(column)
    if column == "map_size" and isinstance(value, list | tuple):
        return "x".join(str(side) for side in value)
    return value


def _mean(values: Iterable[Any]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None
