"""The record of a scored run, its identity, and how it reaches the disk whole.

Everything here is NumPy and the standard library: reading records costs no torch.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from wsol.files.atomic import write_text
from wsol.scores.metrics import specifications_of
from wsol.scores.metrics.specification import MetricSpecification

# 2 added ``specifications``; records of schema 1 are read and get those of the suite's own metrics.
SCHEMA_VERSION = 2
READABLE = (1, SCHEMA_VERSION)


@dataclass(frozen=True)
class RunRecord:
    """One scored run: the source of truth of the leaderboard, append-only.

    ``recipe`` is ``{"what": ..., "how": ...}``: ``what`` changes the numbers and is hashed, ``how``
    (device, workers, paths) does not and is not. ``metrics`` is
    ``{key: {"value": v, "low": l, "high": h}}`` in percent, ``None`` where a figure cannot be
    computed or has no interval yet. ``specifications`` says of each key what tables need to know, so
    that nobody has to import the metric; keys without one get that of the suite. ``optimism`` is, per
    oracle key, by how much choosing the threshold on the scored images flatters them. ``threshold`` says
    how thresholds were chosen: ``{"policy", "chosen_on", "values": {key: threshold in [0, 1]}}``.
    ``arrays`` is ``{"file", "sha256"}`` of the per-image arrays beside the record, or empty; where these
    are too large to commit, ``{"levels_file", "levels_sha256"}`` of their sums over images besides.
    ``cost`` holds ``params``, ``gflops``, ``images_per_second``, ``device``, ``map_size``.
    ``counts`` holds what was decided about odd input, e.g. ``constant_maps``.
    """

    recipe: dict[str, Any]
    dataset: dict[str, Any]
    protocol: dict[str, Any]
    maps: str
    threshold: dict[str, Any]
    metrics: dict[str, dict[str, float | None]]
    n_images: int
    n_expected: int
    specifications: dict[str, MetricSpecification] = field(default_factory=dict)
    optimism: dict[str, float | None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    arrays: dict[str, str] = field(default_factory=dict)
    cost: dict[str, Any] = field(default_factory=dict)
    seeds: dict[str, int] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    git_commit: str | None = None
    started: str | None = None
    finished: str | None = None
    schema_version: int = SCHEMA_VERSION
    run_id: str = ""

    def __post_init__(self) -> None:
        expected = content_id(
            self.recipe["what"], self.dataset, self.protocol, self.maps, self.threshold["policy"]
        )
        if self.run_id and self.run_id != expected:
            raise ValueError(
                f"run_id {self.run_id} does not match the run's content ({expected}); "
                "the record was edited: restore it or evaluate the run again"
            )
        object.__setattr__(self, "run_id", expected)
        said = specifications_of(self.metrics, self.protocol) | self.specifications
        object.__setattr__(self, "specifications", said)

    def to_json(self) -> str:
        """The record as JSON with sorted keys and a final newline; NaN and inf are refused."""
        said = {key: each.describe() for key, each in self.specifications.items()}
        record = _jsonable(dataclasses.asdict(self) | {"specifications": said})
        return json.dumps(record, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, path: Path | str) -> Path:
        """Write the record whole or not at all."""
        return write_text(Path(path), self.to_json())

    @classmethod
    def read(cls, path: Path | str) -> RunRecord:
        """Read a record; ``ValueError`` names the file when it is not one, or was edited."""
        try:
            raw = json.loads(Path(path).read_text(encoding="utf-8"))
            if raw.get("schema_version") not in READABLE:
                raise ValueError(
                    f"schema_version is {raw.get('schema_version')!r}, this wsol reads "
                    f"{' and '.join(map(str, READABLE))}"
                )
            said = {
                key: MetricSpecification.of_record(entry)
                for key, entry in raw.get("specifications", {}).items()
            }
            return cls(**raw | {"specifications": said, "schema_version": SCHEMA_VERSION})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{path}: not a run record: {error}") from error


def content_id(
    what: Mapping[str, Any],
    dataset: Mapping[str, Any],
    protocol: Mapping[str, Any],
    maps: str,
    policy: str,
) -> str:
    """The id of a run: 16 hex digits of the SHA-256 of what was run, on what, scored how.

    Of ``dataset`` only ``manifest_hash`` and ``split`` count, of ``protocol`` only ``name``,
    ``version`` and ``step``: names and notes may be mended without voiding a record.
    """
    content = {
        "what": what,
        "manifest_hash": dataset["manifest_hash"],
        "split": dataset["split"],
        "protocol": {key: protocol.get(key) for key in ("name", "version", "step")},
        "maps": maps,
        "policy": policy,
    }
    return digest(content)[:16]


def digest(content: Any) -> str:
    """SHA-256 of any JSON-able content in its one canonical spelling."""
    text = json.dumps(_jsonable(content), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, np.generic):
        return _jsonable(value.item())
    if isinstance(value, np.ndarray):
        return _jsonable(value.tolist())
    if isinstance(value, Path):
        return value.as_posix()
    # 3.0 and 3 are the same setting: a YAML file must not change the id by writing either.
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value
