"""An evaluation as a record and its arrays, written beside each other under the results."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.evaluation.evaluator import Evaluation
from wsol.evaluation.per_image_table import write_per_image
from wsol.files.atomic import write_bytes
from wsol.pipeline.pictures import KeptPredictions, write_gallery, write_pictures
from wsol.pipeline.provenance import git_commit, now, versions
from wsol.scores import level_counts
from wsol.scores.protocol import Protocol, ThresholdPolicy
from wsol.scores.records import RunRecord, content_id

# Larger arrays are not for a repository: their name says so, .gitignore knows it, and their sums over
# images lie beside.
LARGEST_COMMITTED = 2_000_000


@dataclass(frozen=True)
class Subject:
    """What is scored: where its maps come from, and what made them.

    ``what`` is hashed into the run's identity, ``how`` is not; ``name`` begins the record's file name.
    """

    name: str
    what: dict[str, Any]
    maps: str
    how: dict[str, Any] = field(default_factory=dict)
    seeds: dict[str, int] = field(default_factory=dict)
    cost: dict[str, Any] = field(default_factory=dict)


def dataset_entry(manifest: Manifest, split: str) -> dict[str, Any]:
    """The record's ``dataset``: what it is called, its identity, and what is missing of it."""
    entry = {
        "name": manifest.title,
        "reader": manifest.name,
        "version": manifest.version,
        "manifest_hash": manifest.hash,
        "split": split,
    }
    for key in ("subset", "val_fold"):
        if manifest.info.get(key):
            entry[key] = manifest.info[key]
    return entry


def identity(subject: Subject, split: ManifestSplit, protocol: Protocol, policy: ThresholdPolicy) -> str:
    """The run's id before it is run: whether it was done is known without doing it."""
    return content_id(
        subject.what,
        dataset_entry(split.manifest, split.name),
        protocol.describe(),
        subject.maps,
        str(policy),
    )


def find_record(results: Path | str, run_id: str) -> Path | None:
    """The file of a run in ``results``, or None."""
    return next(iter(sorted(Path(results, "runs").rglob(f"*-{run_id}.json"))), None)


def make_record(
    subject: Subject, split: ManifestSplit, protocol: Protocol, evaluation: Evaluation, started: str
) -> RunRecord:
    """The record of an evaluation; its arrays are named when it is written."""
    return RunRecord(
        recipe={"what": subject.what, "how": subject.how},
        dataset=dataset_entry(split.manifest, split.name),
        protocol=protocol.describe(),
        maps=subject.maps,
        threshold=dict(evaluation.threshold),
        metrics=evaluation.metrics,
        specifications=evaluation.specifications,
        optimism=evaluation.optimism,
        counts=dict(evaluation.counts or {}),
        n_images=evaluation.n_images,
        n_expected=evaluation.n_expected,
        cost=subject.cost,
        seeds=subject.seeds,
        versions=versions(),
        git_commit=git_commit(),
        started=started,
        finished=now(),
    )


def publish(
    subject: Subject,
    split: ManifestSplit,
    protocol: Protocol,
    evaluation: Evaluation,
    kept: KeptPredictions,
    started: str,
    *,
    results: Path | str | None = None,
    output: Path | str | None = None,
) -> RunRecord:
    """Write what an evaluation found, wherever it is asked for; returns its record.

    Under ``results``: the record appended to ``runs``, its pictures in ``report``. Under ``output``:
    ``metrics.json``, ``per_image.csv`` and, of the images that ``kept`` holds, ``overlays``. Arrays are
    written before the record that names them.
    """
    record = make_record(subject, split, protocol, evaluation, started)
    if results is not None:
        folder = Path(results) / "runs" / _slug(str(record.dataset["name"]))
        _write(
            record, evaluation, protocol, folder, f"{subject.name}-{_slug(record.maps)}-{record.run_id}"
        )
        write_gallery(kept, evaluation, protocol, Path(results) / "report" / record.run_id)
    if output is not None:
        _write(record, evaluation, protocol, Path(output), "metrics")
        write_per_image(Path(output) / "per_image.csv", evaluation.per_image, evaluation, protocol)
        write_pictures(kept, evaluation, protocol, Path(output) / "overlays")
    return record


def _write(
    record: RunRecord, evaluation: Evaluation, protocol: Protocol, folder: Path, stem: str
) -> None:
    content = evaluation.per_image.to_bytes()
    large = len(content) >= LARGEST_COMMITTED
    arrays = _written("", folder / f"{stem}{'.large' if large else ''}.npz", content)
    if large:
        levels = level_counts.to_bytes(level_counts.level_counts(evaluation.per_image, protocol))
        arrays |= _written("levels_", folder / f"{stem}.levels.npz", levels)
    dataclasses.replace(record, arrays=arrays).write(folder / f"{stem}.json")


def _written(prefix: str, path: Path, content: bytes) -> dict[str, str]:
    """Write a file of arrays; its name and hash as the record has them."""
    write_bytes(path, content)
    return {f"{prefix}file": path.name, f"{prefix}sha256": hashlib.sha256(content).hexdigest()}


def _slug(text: str) -> str:
    kept = "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in text)
    return "-".join(part for part in kept.split("-") if part)
