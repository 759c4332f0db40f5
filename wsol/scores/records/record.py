"""A scored run as Python knows it, and its JSON file."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsol.errors import UserError
from wsol.files.reading import read_regular
from wsol.files.writing.atomic import write_text
from wsol.scores.metrics import METRICS_VERSION, specifications_of
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.records.checks import check, content_digest
from wsol.scores.records.description import SCHEMA_VERSION
from wsol.scores.records.identity import content_id, jsonable
from wsol.scores.records.strict_json import strict_json

# Many times what P and J of a thousand classes take.
LARGEST_RECORD = 16_000_000

# Version 1 of the metrics was not written down.
FIRST_METRICS_VERSION = 1


@dataclass(frozen=True)
class RunRecord:
    """One scored run: the source of truth of the leaderboard, append-only.

    ``recipe`` is ``{"what": ..., "how": ...}``: ``what`` changes the numbers and is hashed, ``how``
    (device, workers, paths) does not and is not. ``metrics`` is
    ``{key: {"value": v, "low": l, "high": h}}`` in percent, ``None`` where a figure cannot be
    computed or has no interval yet. ``specifications`` says of each key what tables need to know, so
    that nobody has to import the metric; keys without one get that of the suite. ``optimism`` is, per
    oracle key, by how much choosing the threshold on the scored images flatters them. ``threshold`` says
    how thresholds were chosen: ``{"policy", "chosen_on", "values": {key: threshold in [0, 1)}}``.
    ``arrays`` is ``{"file", "sha256"}`` of the per-image arrays beside the record, or empty; where these
    are too large to commit, ``{"levels_file", "levels_sha256"}`` of their sums over images besides.
    ``cost`` holds ``params``, ``gflops``, ``images_per_second`` (of a pass, with all sources that share
    it), ``ms_per_image`` (of this source read alone), ``device``, ``map_size``.
    ``counts`` holds what was decided about odd input, e.g. ``constant_maps``. ``metrics_version`` is
    that of the statistics that made the figures: ``wsol results rescore`` brings older ones up to date.

    The file also carries ``digest``, the SHA-256 of everything else in it: damage is seen. It proves
    nothing; ``wsol results verify`` does, against the arrays.
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
    metrics_version: int = METRICS_VERSION
    schema_version: int = SCHEMA_VERSION
    run_id: str = ""

    def __post_init__(self) -> None:
        expected = content_id(
            self.recipe["what"], self.dataset, self.protocol, self.maps, self.threshold["policy"]
        )
        if self.run_id and self.run_id != expected:
            raise UserError(
                f"run_id {self.run_id} does not match the run's content ({expected}); "
                "the record was edited: restore it or evaluate the run again"
            )
        object.__setattr__(self, "run_id", expected)
        said = specifications_of(self.metrics, self.protocol) | self.specifications
        object.__setattr__(self, "specifications", said)

    def to_json(self) -> str:
        """The record as JSON with sorted keys and a final newline; ``UserError`` if it is not sound."""
        said = {key: each.describe() for key, each in self.specifications.items()}
        # Not asdict, which copies every figure.
        values = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        raw = jsonable(values | {"specifications": said})
        raw["digest"] = content_digest(raw)
        text = json.dumps(raw, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
        # What is written is what readers take.
        check(strict_json(text.encode("utf-8", "surrogatepass")))
        return text

    def write(self, path: Path | str) -> Path:
        """Write the record whole or not at all."""
        return write_text(Path(path), self.to_json())

    def arrays_beside(self, path: Path) -> list[tuple[Path, str]]:
        """The files of arrays that the record at ``path`` names, each with its SHA-256."""
        return [
            (path.with_name(self.arrays[f"{prefix}file"]), self.arrays[f"{prefix}sha256"])
            for prefix in ("", "levels_")
            if f"{prefix}file" in self.arrays
        ]

    @classmethod
    def read(cls, path: Path | str) -> RunRecord:
        """Read a record; ``UserError`` names the file when it is not one, was edited or damaged."""
        return cls.of_bytes(read_regular(path, LARGEST_RECORD), path)

    @classmethod
    def of_bytes(cls, content: bytes, path: Path | str) -> RunRecord:
        """The record in the ``content`` of a file, checked; ``path`` is what messages call it."""
        return cls.of_checked(checked(content, path))

    @classmethod
    def of_checked(
        cls, raw: dict[str, Any], said: dict[str, MetricSpecification] | None = None
    ) -> RunRecord:
        """The record of content that `check` has passed, as it is: nothing is computed or copied.

        ``said`` are its specifications, where the caller knows them.
        """
        record = object.__new__(cls)
        values = {key: value for key, value in raw.items() if key != "digest"}
        values.setdefault("metrics_version", FIRST_METRICS_VERSION)
        for entry in dataclasses.fields(cls):
            if entry.name not in values:
                made = entry.default_factory
                values[entry.name] = entry.default if made is dataclasses.MISSING else made()
        values["specifications"] = specifications(raw) if said is None else said
        values["schema_version"] = SCHEMA_VERSION
        record.__dict__.update(values)
        return record


def checked(content: bytes, path: Path | str) -> dict[str, Any]:
    """What the JSON file at ``path`` holds, a sound record; ``UserError`` names the file."""
    try:
        raw = strict_json(content)
        check(raw)
    except ValueError as error:
        mend = "restore the file, or evaluate the run again, which replaces it"
        raise UserError(f"{path}: not a run record: {error}; {mend}") from error
    return raw


def specifications(raw: dict[str, Any]) -> dict[str, MetricSpecification]:
    """What a checked record says of its metrics, and the suite's own words where it says nothing."""
    said = {
        key: MetricSpecification.of_record(entry) for key, entry in raw.get("specifications", {}).items()
    }
    return specifications_of(raw["metrics"], raw["protocol"]) | said
