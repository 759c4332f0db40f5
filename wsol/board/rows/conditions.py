"""Under which conditions a row was trained and scored, as far as they decide whether rows compare."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from wsol.board.rows.settings import LATER, MANIFEST
from wsol.scores.records import RunRecord

# What has a column of its own, or changes figures by rounding only.
NOT_ASKED = {"name", "selection", "channels_last"}

# Settings that say nothing unless another one has this value.
ONLY_WITH = {
    "momentum": ("optimizer", "sgd"),
    "nesterov": ("optimizer", "sgd"),
    "milestones": ("schedule", "step"),
    "gamma": ("schedule", "step"),
}

# Numbers that stand for something else.
MEANING = {
    "attention_lr": {0: "as lr"},
    "head_lr": {0: "as lr"},
    "images_per_class": {0: "all"},
    "folds": {0: "none"},
}

# ``CPU, 2 threads``, or the name of a GPU.
DEVICE = re.compile(r"(.+?)(?:, (\d+) threads?)?")


def conditions(records: Sequence[RunRecord]) -> dict[str, Any]:
    """By dotted key the conditions of a network's records, one a seed; without those that say nothing.

    Where seeds differ, the value is a text of them all, ``1 and 2``.
    """
    by_record = [_conditions(record) for record in records]
    keys = dict.fromkeys(key for one in by_record for key in one)
    return {key: _one([one[key] for one in by_record if key in one]) for key in keys}


def _conditions(record: RunRecord) -> dict[str, Any]:
    what, dataset = record.recipe["what"], record.dataset
    found = {
        **_part(what, "data"),
        **_training(what),
        **_part(what, "weights"),
        **{f"backbone.{key}": _part_of(what, "backbone").get(key) for key in ("strides", "options")},
        "head.name": _part_of(what, "head").get("name"),
        "map_size": _sides(record.cost.get("map_size")),
        "val_fold": _fold(dataset.get("val_fold")),
        "subset": dataset.get("subset") or "none",
        "n_images": record.n_images,
        MANIFEST: dataset["manifest_hash"],
        **_machine(record.recipe.get("how") or {}),
    }
    if not found.get("training.epochs"):
        for key in ("data.resize_size", "data.flip", "device", "threads", "processes"):
            found.pop(key, None)
    return {key: value for key, value in found.items() if value is not None}


def _part_of(what: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    section = what.get(part)
    return section if isinstance(section, Mapping) else {}


def _part(what: Mapping[str, Any], part: str) -> dict[str, Any]:
    """The settings of a part, those that recipes were given later at their defaults."""
    own = {f"{part}.{key}": value for key, value in _part_of(what, part).items() if key not in NOT_ASKED}
    later = {key: value for key, value in LATER.items() if key.startswith(f"{part}.")}
    return {**later, **own} if own else {}


def _training(what: Mapping[str, Any]) -> dict[str, Any]:
    own = {key.partition(".")[2]: value for key, value in _part(what, "training").items()}
    if own.get("epochs") == 0:
        return {"training.epochs": 0}
    for key, (other, value) in ONLY_WITH.items():
        if other in own and own[other] != value:
            own.pop(key, None)
    if not own.get("milestones"):
        own.pop("gamma", None)
    if _part_of(what, "attention").get("name") == "none":
        own.pop("attention_lr", None)
    for key in ("attention_lr", "head_lr"):
        if own.get(key) == own.get("lr"):
            own[key] = 0
    told = {
        key: MEANING.get(key, {}).get(value, value) if _plain(value) else value
        for key, value in own.items()
    }
    return {f"training.{key}": value for key, value in told.items()}


def _plain(value: Any) -> bool:
    return isinstance(value, int | float)


def _machine(how: Mapping[str, Any]) -> dict[str, Any]:
    """Where it was trained, as far as that was recorded: threads and processes change a training."""
    training = how.get("training")
    if not isinstance(training, Mapping):
        return {}
    found = DEVICE.fullmatch(str(training.get("device") or ""))
    device, threads = found.groups() if found else (None, None)
    return {"device": device, "threads": threads, "processes": training.get("processes")}


def _sides(size: Any) -> str | None:
    return "x".join(map(str, size)) if isinstance(size, list | tuple) else None


def _fold(fold: Any) -> str:
    if isinstance(fold, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in sorted(fold.items()))
    return "of train" if fold else "none"


def _one(values: list[Any]) -> Any:
    different = [value for place, value in enumerate(values) if value not in values[:place]]
    return different[0] if len(different) == 1 else " and ".join(sorted(map(str, different)))
