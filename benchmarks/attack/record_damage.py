"""Forms of damage to the JSON file of a record: each a name and what it does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from benchmarks.attack.victim import Damage, Victim, blanks, content, flipped, instead, loop, rewritten

KEY = "max_box_acc@0.5"


def _metric(**changes: Any) -> Damage:
    return lambda victim: victim.edit(lambda record: record["metrics"][KEY].update(changes))


def _field(name: str, value: Any) -> Damage:
    def change(record: dict[str, Any]) -> None:
        *parents, last = name.split(".")
        for parent in parents:
            record = record[parent]
        record[last] = value

    return lambda victim: victim.edit(change)


def _without(name: str) -> Damage:
    return lambda victim: victim.edit(lambda record: record.pop(name))


def _other_row(victim: Victim) -> None:
    """The figures of another record under this one's identity."""
    metrics = json.loads(victim.other.read_text())["metrics"]
    victim.edit(lambda record: record.update(metrics=metrics))


def _nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


DAMAGED: dict[str, Damage] = {
    "empty": content(b""),
    "one byte": content(b"{"),
    "first half": rewritten(lambda content: content[: len(content) // 2]),
    "last byte missing": rewritten(lambda content: content.rstrip()[:-1]),
    "zeros": rewritten(lambda content: bytes(len(content))),
    "bit flipped early": rewritten(lambda content: flipped(content, 0.1)),
    "bit flipped in the middle": rewritten(lambda content: flipped(content, 0.5)),
    "bit flipped late": rewritten(lambda content: flipped(content, 0.9)),
    "text after the end": rewritten(lambda content: content + b"{}"),
    "UTF-16": rewritten(lambda content: content.decode().encode("utf-16")),
    "Latin-1 byte": rewritten(lambda content: content.replace(b'"clutter"', b'"cl\xfctter"')),
    "NUL in a name": lambda victim: victim.text(
        lambda text: text.replace('"clutter"', '"clut\\u0000ter"')
    ),
    "list": content(b"[1, 2]"),
    "number": content(b"17"),
    "null": content(b"null"),
    "empty object": content(b"{}"),
    "GeoJSON": content(b'{"type": "FeatureCollection", "features": []}'),
    "nested 100000 deep": content(_nested(100_000)),
    "nested 990 deep in a field": lambda victim: victim.text(
        lambda text: text.replace('"counts": {', '"counts": {"deep": ' + _nested(990).decode() + ",", 1)
    ),
    "number of 10000 digits": lambda victim: victim.text(
        lambda text: text.replace('"n_images": 16', '"n_images": ' + "9" * 10_000)
    ),
    "key twice": lambda victim: victim.text(lambda text: text.replace("{", '{"n_images": 3,', 1)),
    "NaN": _metric(value=float("nan")),
    "Infinity": _metric(high=float("inf")),
    "1e999": lambda victim: victim.text(
        lambda text: text.replace('"value": ', '"value": 1e999, "v": ', 1)
    ),
    "figure edited": _metric(value=99.9),
    "figure and interval edited": _metric(value=60.0, low=50.0, high=70.0),
    "figure removed": lambda victim: victim.edit(lambda record: record["metrics"].pop(KEY)),
    "figure set to null": _metric(value=None),
    "over 100 percent": _metric(value=101.0, high=102.0),
    "negative": _metric(value=-1.0, low=-2.0),
    "low above value": _metric(low=99.0),
    "high below value": _metric(high=0.0, value=50.0),
    "figure as text": _metric(value="50"),
    "figure as list": _metric(value=[50]),
    "figure as true": _metric(value=True),
    "figure of 400 digits": _metric(value=10**400),
    "metrics as list": _field("metrics", []),
    "metrics as text": _field("metrics", "good"),
    "interval of four ends": _metric(lower=3),
    "more images than expected": _field("n_images", 10_000),
    "images negative": _field("n_images", -1),
    "images as 16.5": _field("n_images", 16.5),
    "images as text": _field("n_images", "16"),
    "counts as text": _field("counts", {"negative_maps": "many"}),
    "counts negative": _field("counts", {"negative_maps": -3}),
    "threshold of 7": lambda victim: victim.edit(
        lambda record: record["threshold"]["values"].update({KEY: 7.0})
    ),
    "policy unknown": _field("threshold.policy", "best"),
    "policy missing": lambda victim: victim.edit(lambda record: record["threshold"].pop("policy")),
    "protocol as text": _field("protocol", "choe2020"),
    "recipe as null": _field("recipe", None),
    "what as list": _field("recipe.what", []),
    "recipe edited": lambda victim: victim.edit(
        lambda record: record["recipe"]["what"]["training"].update(epochs=99)
    ),
    "dataset as list": _field("dataset", []),
    "maps as number": _field("maps", 3),
    "seeds as text": _field("seeds", "0"),
    "cost as list": _field("cost", [1]),
    "speed of -5": lambda victim: victim.edit(
        lambda record: record["cost"].update(images_per_second=-5)
    ),
    "time that is none": _field("started", "yesterday"),
    "optimism edited": lambda victim: victim.edit(lambda record: record["optimism"].update({KEY: -400})),
    "specification as text": lambda victim: victim.edit(
        lambda record: record["specifications"].update({KEY: "x"})
    ),
    "run_id edited": _field("run_id", "0" * 16),
    "run_id missing": _without("run_id"),
    "metrics missing": _without("metrics"),
    "schema missing": _without("schema_version"),
    "schema of 99": _field("schema_version", 99),
    "schema as text": _field("schema_version", "2"),
    "unknown field": _field("remark", "best run ever"),
    "arrays in another folder": _field("arrays.file", "../../other.npz"),
    "arrays at an absolute path": _field("arrays.file", "/etc/passwd"),
    "arrays' name with NUL": _field("arrays.file", "a\0b.npz"),
    "arrays as text": _field("arrays", "x.npz"),
    "arrays' hash of 3 digits": _field("arrays.sha256", "abc"),
    "figures of another run": _other_row,
    "directory": instead(Path.mkdir),
    "FIFO": instead(lambda path: os.mkfifo(path)),
    "symlink to itself": instead(loop),
    "symlink to nothing": instead(lambda path: path.symlink_to("gone.json")),
    "a gigabyte of blanks": instead(blanks),
}
