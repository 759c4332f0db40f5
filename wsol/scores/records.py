"""The frozen records that pass between rooms, and how they reach the disk whole.

Everything here is NumPy and the standard library: reading records costs no torch.
Boxes are ``(n, 4)`` float32 ``x0, y0, x1, y1``, half-open, in pixels of the original image,
unless a name says otherwise.
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
class Sample:
    """One image as a model sees it: ``image`` (3, H, W) float tensor, ``label`` of its class."""

    image: Any
    label: int
    image_id: str
    index: int


@dataclass(frozen=True)
class Annotation:
    """The ground truth of one image.

    ``boxes`` (n, 4) half-open original pixels, n may be 0; ``source_boxes`` (n, 4) the numbers as
    the source wrote them (what `choe2020` reads), equal to ``boxes`` where the source is
    half-open. ``masks`` and ``ignore`` are absolute paths of PNG files; the object is their
    union. ``size`` is (height, width).

    Where the manifest says more of each box, ``box_labels`` (n,) int64 are the classes of the boxes and
    ``box_instances`` (n,) int64 the numbers of the things they frame, -1 where it does not say; None
    where it says nothing of any box. ``parts`` is the absolute path of a PNG whose pixels are codes,
    empty where there is none; ``part_names`` are the names of the codes from 1 to 255, and 0 is no part.
    """

    image_id: str
    label: int
    size: tuple[int, int]
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    source_boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    masks: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    box_labels: np.ndarray | None = None
    box_instances: np.ndarray | None = None
    parts: str = ""
    part_names: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Prediction:
    """What one forward pass says of one image.

    ``label`` is the class whose map this is; ``top5`` the classes by falling score, best first,
    empty where no class scores exist; ``probabilities`` are theirs, in [0, 1], where they are known.
    ``score_map`` (h, w) float32 as the source made it, before any resizing or normalising. Instead of a
    map it may carry ``boxes`` (n, 4) half-open original pixels or a boolean ``mask`` (height, width).
    """

    image_id: str
    label: int
    top5: tuple[int, ...] = ()
    score_map: np.ndarray | None = None
    boxes: np.ndarray | None = None
    mask: np.ndarray | None = None
    probabilities: tuple[float, ...] = ()


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
