"""An evaluation as a record and its arrays, written beside each other under the results."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.data.manifest.validation import TRAINED
from wsol.errors import UserError
from wsol.evaluation.evaluator import Evaluation
from wsol.evaluation.per_image_table import Truth, write_per_image
from wsol.files.locking.lock import check_held
from wsol.files.reading import sha256_of
from wsol.files.writing.atomic import write_bytes
from wsol.pipeline.outputs.objects import write_objects
from wsol.pipeline.outputs.pictures import KeptPredictions, write_gallery, write_pictures
from wsol.pipeline.outputs.provenance import git_commit, now, versions
from wsol.progress import say
from wsol.recipe import Recipe
from wsol.scores import level_counts
from wsol.scores.protocol import Protocol, ThresholdPolicy
from wsol.scores.records import RunRecord, content_id

# Larger arrays are not for a repository: their name says so, .gitignore knows it, and their sums over
# images lie beside.
LARGEST_COMMITTED = 2_000_000


@dataclass(frozen=True)
class Outputs:
    """Where the results of an evaluation go; nothing is written where nothing is said.

    Attributes:
        results: a folder of results: the record is appended to its ``runs``, pictures for the report go
            to its ``report``. A record that is there already is kept, and its maps are not scored again.
        output: a folder for ``metrics.json``, ``per_image.csv`` and ``overlays``; where several sources
            of maps are scored, each gets a folder of its own in it.
        overlays: how many images are drawn.
        masks: write each image's predicted mask to ``output`` too; keeps every map in memory.
    """

    results: Path | str | None = None
    output: Path | str | None = None
    overlays: int = 0
    masks: bool = False


@dataclass(frozen=True)
class MapsOrigin:
    """What made the score maps of one row.

    ``what`` is hashed into the run's identity, ``how`` is not; ``name`` begins the record's file name.
    """

    name: str
    what: Mapping[str, Any]
    maps: str
    how: Mapping[str, Any] = field(default_factory=dict)
    seeds: Mapping[str, int] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoredMaps:
    """The evaluation of one source's maps on a split, and when it began."""

    origin: MapsOrigin
    split: ManifestSplit
    protocol: Protocol
    evaluation: Evaluation
    started: str


def dataset_entry(manifest: Manifest, split: str) -> dict[str, Any]:
    """The record's ``dataset``: what it is called, its identity, and what is missing of it."""
    entry: dict[str, Any] = {
        "name": manifest.title,
        "reader": manifest.name,
        "version": manifest.version,
        "manifest_hash": manifest.hash,
        "split": split,
    }
    for key in ("subset", "val_fold"):
        if manifest.info.get(key):
            entry[key] = manifest.info[key]
    if manifest.queries and split != TRAINED:
        entry["queries"] = True
    return entry


def scored_what(recipe: Recipe, trained_on: str, scored: str) -> dict[str, Any]:
    """What makes the figures of a run that is scored: the recipe, and the hash of the training manifest
    where that is not the scored one, whose hash is the data set's own. ``trained_on`` may be empty.
    """
    what = recipe.what()
    return what if trained_on in ("", scored) else {**what, "trained_on": trained_on}


def identity(
    origin: MapsOrigin, split: ManifestSplit, protocol: Protocol, policy: ThresholdPolicy
) -> str:
    """The run's id before it is run: whether it was done is known without doing it."""
    return content_id(
        origin.what,
        dataset_entry(split.manifest, split.name),
        protocol.describe(),
        origin.maps,
        str(policy),
    )


def find_record(results: Path | str, run_id: str) -> Path | None:
    """The file of a run in ``results``, or None.

    A record that is damaged, or whose arrays are, is none: the run is scored again, which replaces it.
    """
    return next(filter(_is_sound, sorted(Path(results, "runs").rglob(f"*-{run_id}.json"))), None)


def _is_sound(path: Path) -> bool:
    """Whether there is a record whose arrays, as far as they lie beside it, are its own."""
    try:
        arrays = RunRecord.read(path).arrays_beside(path)
        return all(sha256_of(file) == written for file, written in arrays if os.path.lexists(file))
    except UserError:
        return False


def make_record(scored: ScoredMaps) -> RunRecord:
    """The record of an evaluation; its arrays are named when it is written."""
    origin, evaluation = scored.origin, scored.evaluation
    return RunRecord(
        recipe={"what": dict(origin.what), "how": dict(origin.how)},
        dataset=dataset_entry(scored.split.manifest, scored.split.name) | _classes(scored),
        protocol=scored.protocol.describe(),
        maps=origin.maps,
        threshold=dict(evaluation.threshold),
        metrics=evaluation.metrics,
        specifications=evaluation.specifications,
        optimism=evaluation.optimism,
        counts=dict(evaluation.counts or {}),
        n_images=evaluation.n_images,
        n_expected=evaluation.n_expected,
        cost=dict(origin.cost),
        seeds=dict(origin.seeds),
        versions=versions(),
        git_commit=git_commit(),
        started=scored.started,
        finished=now(),
    )


def _classes(scored: ScoredMaps) -> dict[str, list[str]]:
    """The names of the labels, where figures of single classes go by them and arrays by the labels."""
    return {"classes": list(scored.split.class_keys)} if scored.protocol.per_class else {}


def append_record(scored: ScoredMaps, kept: KeptPredictions, results: Path | str) -> RunRecord:
    """Draw the record's pictures for the report, and append it to ``results/runs``.

    The record comes last: where it is, everything of it is, whenever the writing was interrupted.
    """
    # Scored by a process that was stopped meanwhile: whoever took its run over makes the record.
    check_held()
    record = make_record(scored)
    folder = Path(results) / "runs" / _slug(str(record.dataset["name"]))
    write_gallery(kept, scored.evaluation, scored.protocol, gallery_folder(results, record.run_id))
    stem = f"{scored.origin.name}-{_slug(record.maps)}-{record.run_id}"
    there = folder / f"{stem}.json"
    if there.exists() and not _is_sound(there):
        say(f"{there}: it or its arrays were damaged: replaced")
    _write(record, scored, folder, stem)
    return record


def gallery_folder(results: Path | str, run_id: str) -> Path:
    """Where a record's pictures for the report lie."""
    return Path(results) / "report" / run_id


def write_output(scored: ScoredMaps, kept: KeptPredictions, output: Path | str) -> None:
    """Write ``metrics.json``, ``per_image.csv`` and ``overlays`` of the images that ``kept`` holds."""
    evaluation, protocol = scored.evaluation, scored.protocol
    _write(make_record(scored), scored, Path(output), "metrics")
    truth = Truth(scored.split.annotations(), scored.split.classes)
    table = Path(output) / "per_image.csv"
    write_per_image(table, evaluation.per_image, evaluation, protocol, truth)
    write_pictures(kept, evaluation, protocol, Path(output) / "overlays")
    if kept.every and protocol.boxes:
        write_objects(kept, evaluation, protocol, Path(output))


def _write(record: RunRecord, scored: ScoredMaps, folder: Path, stem: str) -> None:
    """The arrays first: a record that names a missing file would be worse than arrays without one."""
    per_image = scored.evaluation.per_image
    content = per_image.to_bytes()
    # Of drawn images there are many sets, and anyone can draw them again, and score them.
    large = len(content) >= LARGEST_COMMITTED or bool(scored.split.manifest.drawn)
    arrays = _written("", folder / f"{stem}{'.large' if large else ''}.npz", content)
    if large:
        levels = level_counts.to_bytes(level_counts.level_counts(per_image, scored.protocol))
        arrays |= _written("levels_", folder / f"{stem}.levels.npz", levels)
    dataclasses.replace(record, arrays=arrays).write(folder / f"{stem}.json")


def _written(prefix: str, path: Path, content: bytes) -> dict[str, str]:
    """Write a file of arrays; its name and hash as the record has them."""
    write_bytes(path, content)
    return {f"{prefix}file": path.name, f"{prefix}sha256": hashlib.sha256(content).hexdigest()}


def _slug(text: str) -> str:
    kept = "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in text)
    return "-".join(part for part in kept.split("-") if part)
