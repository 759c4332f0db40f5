"""What a record was run with, flat, and how tables spell it: ``lr 0.01``, ``manifest 9e184bd5…``."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wsol.recipe import PARTS
from wsol.recipe.fields import plain
from wsol.scores.records import RunRecord, digest

MANIFEST = "dataset.manifest_hash"
HASH = re.compile(r"[0-9a-f]{64}")
SHORTEST_HASH = 8

# What keys are called whose own names say too little or too much.
NAMES = {
    MANIFEST: "manifest",
    "training.batch_size": "batch_size",
    "protocol.version": "protocol version",
    "protocol.step": "step",
    "weights.sha256": "weights",
}

# A key that a record does not have.
NOT_SAID = object()

# The keys of a recipe in their order, and the defaults of those that came after the first records.
TYPES: Mapping[str, type] = PARTS
FIELDS = {f"{part}.{item.name}": item for part, cls in TYPES.items() for item in dataclasses.fields(cls)}
ORDER = {key: place for place, key in enumerate(FIELDS)}
COUNTS = Counter(item.name for item in FIELDS.values())
LATER = {
    key: item.default
    for key, item in FIELDS.items()
    if item.metadata.get("later") and not isinstance(item.default, Mapping)
}


def settings_of(record: RunRecord) -> dict[str, Any]:
    """By dotted key everything that makes the run's id, but for the seed and what the columns spell.

    Keys that recipes were given later stand at their defaults where the record does not have them.
    """
    return {**LATER, **dict(_flat(_content(record), ""))}


def identities(records: Sequence[RunRecord]) -> list[str]:
    """One text a record; the same text where two were run alike but for the seed."""
    texts = [json.dumps(_content(record), sort_keys=True, default=str) for record in records]
    # 3 and 3.0 are one setting, which the quick text does not know: the slow one looks at each once.
    known: dict[str, str] = {}
    for text, record in zip(texts, records, strict=True):
        if text not in known:
            known[text] = digest(_content(record))
    return [known[text] for text in texts]


def spelled(values: Sequence[Any]) -> list[str]:
    """The values of one key as tables show them; different values give different texts.

    Texts and lists as the command line takes them, hashes cut to as many digits as tell them apart.
    """
    keys = [repr(value) for value in values]
    distinct = dict(zip(keys, values, strict=True))  # most rows share their values
    exact = [_exact(value) for value in distinct.values()]
    texts = [text or "not said" for text in exact]
    for length in (64, 32, 16, SHORTEST_HASH):
        shorter = [spell(value, length) for value in distinct.values()]
        if len(set(shorter)) == len(set(exact)):
            texts = shorter
    told = dict(zip(distinct, texts, strict=True))
    return [told[key] for key in keys]


def _exact(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is NOT_SAID else json.dumps(plain(value), sort_keys=True)


def spell(value: Any, digits: int = SHORTEST_HASH) -> str:
    """One value: ``0.01``, ``true``, ``15,30``, ``none``; of a hash the first ``digits``."""
    if value is NOT_SAID or value is None or value in ("", [], (), {}):
        return "none"
    if isinstance(value, str):
        short = HASH.fullmatch(value) and digits < len(value)
        return f"{value[:digits]}…" if short else " ".join(value.split())
    if isinstance(value, Mapping):
        return ",".join(f"{key}={spell(item, digits)}" for key, item in sorted(value.items()))
    if isinstance(value, list | tuple):
        return ",".join(spell(item, digits) for item in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value)


def key_name(key: str) -> str:
    """What tables call a key: ``lr``, or ``evaluation.batch_size`` where another part has such a key."""
    if key in NAMES:
        return NAMES[key]
    part, _, rest = key.partition(".")
    if rest == "name":
        return part
    return rest if rest and COUNTS[rest] <= 1 else key


def in_order(keys: Iterable[str]) -> list[str]:
    """Keys in the order of the recipe, then the others by name."""
    return sorted(keys, key=lambda key: (ORDER.get(key, len(ORDER)), key))


def _content(record: RunRecord) -> dict[str, Any]:
    return {
        **{key: value for key, value in record.recipe["what"].items() if key != "seed"},
        "dataset": {"manifest_hash": record.dataset["manifest_hash"]},
        "protocol": {key: record.protocol.get(key) for key in ("version", "step")},
    }


def _flat(node: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + str(key), value
