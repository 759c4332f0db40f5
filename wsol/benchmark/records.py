"""An evaluation as a record and its arrays, written beside each other under the results."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsol.atomic import write_bytes
from wsol.benchmark.provenance import git_commit, now, versions
from wsol.data.manifest import Manifest, ManifestSplit
from wsol.evaluation.evaluator import Evaluation
from wsol.evaluation.protocol import Protocol, ThresholdPolicy
from wsol.records import RunRecord, content_id

# Larger arrays are not for a repository: their name says so, and .gitignore knows it.
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


def file_record(record: RunRecord, evaluation: Evaluation, name: str, results: Path | str) -> Path:
    """Append the record to ``results/runs``: arrays first, so that no record names what is not there."""
    folder = Path(results) / "runs" / _slug(str(record.dataset["name"]))
    stem = f"{name}-{_slug(record.maps)}-{record.run_id}"
    path = folder / f"{stem}.json"
    return _write(record, evaluation, path, stem)


def write_metrics(record: RunRecord, evaluation: Evaluation, output: Path | str) -> Path:
    """Write ``metrics.json`` and its arrays into a folder of the user's."""
    return _write(record, evaluation, Path(output) / "metrics.json", "metrics")


def _write(record: RunRecord, evaluation: Evaluation, path: Path, stem: str) -> Path:
    if evaluation.per_image is not None:
        content = evaluation.per_image.to_bytes()
        suffix = ".npz" if len(content) < LARGEST_COMMITTED else ".large.npz"
        write_bytes(path.with_name(stem + suffix), content)
        arrays = {"file": stem + suffix, "sha256": hashlib.sha256(content).hexdigest()}
        record = dataclasses.replace(record, arrays=arrays)
    return record.write(path)


def _slug(text: str) -> str:
    kept = "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in text)
    return "-".join(part for part in kept.split("-") if part)
