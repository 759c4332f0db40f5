"""Runs -> rows: which runs are one row, what it is called, and what its seeds add up to."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from wsol.board.rows.columns import BASELINES, COST_COLUMNS, KEY_COLUMNS, PERCENT
from wsol.board.rows.conditions import conditions
from wsol.board.rows.row_key import own_name, row_key, seed_of
from wsol.board.rows.seeds import Estimate, estimate
from wsol.board.rows.settings import identities, settings_of
from wsol.board.rows.variants import Variant, variants
from wsol.board.runs.reading import StoredRun
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.records import RunRecord

# Columns after the metrics that the recipe fills, and its keys.
SAID_BY_RECIPE = {
    "input_size": "data.input_size",
    "epochs": "training.epochs",
    "batch_size": "training.batch_size",
    "lr": "training.lr",
}


@dataclass(frozen=True)
class Row:
    """One row of the board: its key, by `KEY_COLUMNS`, and its runs, one a seed, by rising seed.

    ``named`` are the dotted keys of the recipe that the column ``variant`` spells out.
    """

    key: tuple[str, ...]
    runs: tuple[StoredRun, ...]
    named: tuple[str, ...] = ()

    def __getitem__(self, column: str) -> str:
        return self.key[KEY_COLUMNS.index(column)]

    @property
    def place(self) -> tuple[str, str, str, str]:
        """The table that the row belongs to: dataset, split, protocol, policy."""
        return self["dataset"], self["split"], self["protocol"], self["threshold_policy"]

    @property
    def records(self) -> list[RunRecord]:
        """The records, by rising seed."""
        return [run.record for run in self.runs]

    @property
    def seeds(self) -> int | None:
        """How many seeds; None for what has none, such as the centred box."""
        return None if seed_of(self.records[0]) is None else len(self.runs)

    @property
    def seed_numbers(self) -> list[int | None]:
        """The seed of each run, in their order."""
        return [seed_of(record) for record in self.records]

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

    @property
    def bound(self) -> str:
        """By what more than image labels the row was trained, so that it is a bound; else empty."""
        return str((self.records[0].recipe.get("how") or {}).get("bound") or "")

    @property
    def competes(self) -> bool:
        """Whether it is ranked: baselines are what it has to beat, bounds have seen more."""
        return not self.is_baseline and not self.bound

    @property
    def title(self) -> str:
        """What makes the row special, in one text: ``CAM, lr 0.01`` or ``rfga, attention:stage3``."""
        parts = [self[column] for column in ("attention", "method")]
        parts = [part for part in parts if part not in ("", "none", "cam")]
        if self.is_baseline:
            name = self.baseline[0].upper() + self.baseline[1:]
            texts = [" of ".join([name, *([" + ".join(parts)] if parts else [])])]
        else:
            name = " + ".join(parts) or ("CAM" if self["maps"] == "cam" else self["maps"])
            texts = [name, *([] if self["maps"] in ("cam", name) else [self["maps"]])]
        return ", ".join([*texts, *([self["variant"]] if self["variant"] else [])])

    @cached_property
    def conditions(self) -> dict[str, Any]:
        """Under which conditions the row was trained and scored (`wsol.board.rows.conditions`)."""
        return conditions(self.records)

    @cached_property
    def estimates(self) -> dict[str, Estimate]:
        """Metric key to its estimate over this row's seeds."""
        keys = sorted({key for record in self.records for key in record.metrics})
        return {
            key: estimate(
                [record.metrics.get(key, {}) for record in self.records],
                within=PERCENT if self.is_percent(key) else None,
            )
            for key in keys
        }

    @cached_property
    def specifications(self) -> dict[str, MetricSpecification]:
        """What its records say of each metric, by key."""
        return {key: one for record in self.records for key, one in record.specifications.items()}

    def is_percent(self, metric: str) -> bool:
        """Whether the metric lies between 0 and 100."""
        said = self.specifications.get(metric) or self.specifications.get(metric.partition(":")[0])
        return said is None or said.unit == "percent"

    def values(self, metric: str) -> list[float | None]:
        """The metric of each seed, by rising seed."""
        return [record.metrics.get(metric, {}).get("value") for record in self.records]

    def optimism(self, metric: str) -> float | None:
        """By how much choosing the threshold on the scored images flatters ``metric``, over seeds."""
        return _mean(record.optimism.get(metric) for record in self.records)

    def costs(self) -> dict[str, str]:
        """The columns after the metrics, spelled out; empty where unknown."""
        return {column: _spelled(column, self.records) for column in COST_COLUMNS}


class Grouping(NamedTuple):
    """Rows sorted by key, and one line for each of the rows that no table can show."""

    rows: list[Row]
    left_out: list[str]


def group(runs: Iterable[StoredRun]) -> Grouping:
    """A row for each recipe: runs that differ in nothing but the seed share one.

    The order of ``runs`` does not matter. Left out is what no column can tell apart: two records of one
    recipe and one seed, two recipes of which nothing that a table could spell is different.
    """
    by_key: dict[tuple[str, ...], list[StoredRun]] = defaultdict(list)
    for run in runs:
        by_key[row_key(run.record)].append(run)
    rows: list[Row] = []
    left_out: list[str] = []
    for key, members in by_key.items():
        for text, recipes in _by_variant(members).items():
            if twins := _twins(recipes):
                left_out.append(_told(twins))
            else:
                runs = sorted(recipes[0].runs, key=lambda run: seed_of(run.record) or 0)
                rows.append(Row((*key, text), tuple(runs), recipes[0].variant.keys))
    return Grouping(sorted(rows, key=lambda row: row.key), sorted(left_out))


class _Recipe(NamedTuple):
    variant: Variant
    runs: list[StoredRun]


def _by_variant(members: Sequence[StoredRun]) -> dict[str, list[_Recipe]]:
    """Runs of one key by recipe; a text with two recipes is one that cannot tell them apart."""
    alike: dict[str, list[StoredRun]] = defaultdict(list)
    for identity, run in zip(identities([run.record for run in members]), members, strict=True):
        alike[identity].append(run)
    groups = [alike[identity] for identity in sorted(alike)]
    several = len(groups) > 1
    settings = [settings_of(runs[0].record) if several else {} for runs in groups]
    found: dict[str, list[_Recipe]] = defaultdict(list)
    for runs, variant in zip(groups, variants(settings, [_name(runs) for runs in groups]), strict=True):
        found[variant.text].append(_Recipe(variant, runs))
    return found


def _name(runs: Sequence[StoredRun]) -> str:
    """The name that all runs of a row were given, or none."""
    names = {own_name(run.record) for run in runs}
    return names.pop() if len(names) == 1 else ""


def _twins(recipes: Sequence[_Recipe]) -> list[StoredRun]:
    """The runs under one text that are not seeds of one row."""
    runs = [run for recipe in recipes for run in recipe.runs]
    if len(recipes) > 1:
        return runs
    seeds = Counter(seed_of(run.record) for run in runs)
    return [run for run in runs if seeds[seed_of(run.record)] > 1]


def _told(runs: Sequence[StoredRun]) -> str:
    paths = sorted(str(run.path) for run in runs)
    return (
        f"{' and '.join(paths)}: different runs that no column tells apart; their rows are left out: "
        "move one to another folder of results"
    )


def _spelled(column: str, records: list[RunRecord]) -> str:
    spelling = COST_COLUMNS[column]
    values = [_cost(record, column) for record in records]
    if column == "tuning_trials":  # told of the row: a seed may have been trained before the trials
        values = [max((value for value in values if value is not None), default=None)]
    if not spelling:
        return "; ".join(sorted({str(value) for value in values if value not in (None, "")}))
    mean = _mean(values)
    if mean is None:
        return ""
    return f"{round(mean):d}" if spelling == "d" else f"{mean:{spelling}}"


def _cost(record: RunRecord, column: str) -> Any:
    what, how = record.recipe["what"], record.recipe.get("how") or {}
    if column in SAID_BY_RECIPE:
        part, _, key = SAID_BY_RECIPE[column].partition(".")
        return (what.get(part) or {}).get(key)
    if column in ("pretraining", "extra_supervision", "tuning_trials"):
        return how.get(column)
    value = record.cost.get(column)
    if column == "map_size" and isinstance(value, list | tuple):
        return "x".join(str(side) for side in value)
    return value


def _mean(values: Iterable[Any]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None
