"""What a row is called: the columns that a record itself fills, and its seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsol.recipe import AttentionSettings, EvaluationSettings
from wsol.scores.records import RunRecord

DEFAULT_STEP = EvaluationSettings().step
FIRST_VERSION = 1


def row_key(record: RunRecord) -> tuple[str, ...]:
    """The record's `RECORD_COLUMNS`; empty where a part does not exist: a centred box has no network."""
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


def own_name(record: RunRecord) -> str:
    """What its maker called the run (``--name``), blanks made one; empty where nothing was said."""
    name = (record.recipe.get("how") or {}).get("name")
    return " ".join(name.split()) if isinstance(name, str) else ""


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
    """The protocol's name, with its version and its threshold step where these are not the usual ones.

    Two versions are two protocols: their rows never share a table.
    """
    version, step = protocol.get("version"), protocol.get("step")
    said = [] if version in (None, FIRST_VERSION) else [f"version={version}"]
    said += [] if step in (None, DEFAULT_STEP) else [f"step={step}"]
    return str(protocol.get("name", "")) + (f"({','.join(said)})" if said else "")
