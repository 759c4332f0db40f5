"""What the rows of a table share of their recipes, and which rows differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wsol.board.rows.rows import Row

# A column of the table, and what its mean is over: here rows may differ.
OWN = ("attention", "seed")

# What is told of the setting that most rows share.
TOLD = {
    "training.epochs": "{} epochs",
    "training.batch_size": "batch {}",
    "training.optimizer": "{}",
    "training.lr": "learning rate {}",
    "training.weight_decay": "weight decay {}",
    "training.precision": "{}",
    "training.folds": "{} folds",
    "data.input_size": "input {}",
}


def setting_lines(rows: Sequence[Row]) -> list[str]:
    """For each network: the setting that most of its rows share, then every row that differs from it."""
    by_network: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["backbone"]:
            by_network[row["backbone"]].append(row)
    lines = []
    for network, members in sorted(by_network.items()):
        settings = [dict(_flat(_what(row))) for row in members]
        common = _most_common(settings)
        lines.append(f"Setting of {network}: {_told(common, members)}.")
        lines += _deviations(members, settings, common)
    return lines


def _deviations(
    rows: Sequence[Row], settings: Sequence[Mapping[str, Any]], common: Mapping[str, Any]
) -> list[str]:
    lines = []
    for row, own in zip(rows, settings, strict=True):
        keys = sorted(key for key in common.keys() | own.keys() if own.get(key) != common.get(key))
        if keys:
            changes = ", ".join(f"{key} {own.get(key)} instead of {common.get(key)}" for key in keys)
            lines.append(f"Another setting: {row['attention']} has {changes}.")
    return list(dict.fromkeys(lines))  # a run has a row for each of its maps


def _told(common: Mapping[str, Any], rows: Sequence[Row]) -> str:
    if not common.get("training.epochs"):
        return f"not trained, input {common.get('data.input_size')}"
    told = [text.format(common[key]) for key, text in TOLD.items() if common.get(key) is not None]
    costs = [row.costs() for row in rows]
    for column, text in (("map_size", "maps {}"), ("device", "device {}")):
        values = sorted({cost[column] for cost in costs if cost[column]})
        told += [text.format(" and ".join(values))] if values else []
    return ", ".join(told)


def _most_common(settings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    keys = sorted({key for one in settings for key in one})
    common = {}
    for key in keys:
        spelled = Counter(repr(one.get(key)) for one in settings).most_common(1)[0][0]
        common[key] = next(one.get(key) for one in settings if repr(one.get(key)) == spelled)
    return common


def _what(row: Row) -> dict[str, Any]:
    what = row.records[0].recipe["what"]
    return {key: value for key, value in what.items() if key not in OWN}


def _flat(node: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + str(key), value
