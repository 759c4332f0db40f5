"""``verify``: do the figures of the records follow from the arrays beside them?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsol.board.board import RUNS
from wsol.board.runs.reading import StoredRun, read_folder
from wsol.errors import UserError
from wsol.files.reading import files_under, read_regular, sha256_of
from wsol.pipeline.results.recompute import Recomputed, from_sums, is_own, recompute, same
from wsol.progress import track
from wsol.scores.metrics import METRICS_VERSION

LARGEST_FACTS = 16_000_000


@dataclass
class Verification:
    """What came out: ``findings`` are differences and damage, a line each.

    ``unverified`` are the paths of the records whose arrays are not beside them; ``summed`` counts those
    of them whose MaxBoxAcc follows from the sums over images that are.
    ``equal`` counts the records all of whose figures follow from their arrays; ``other_version`` those
    of other definitions of the metrics, which are findings: a record that only says so would be
    believed otherwise. ``foreign`` are figures that only metrics from outside could compute, ``weights``
    the files of weights that are what their runs wrote.
    """

    records: int = 0
    equal: int = 0
    differing: int = 0
    other_version: int = 0
    left_aside: int = 0
    foreign: int = 0
    weights: int = 0
    summed: int = 0
    findings: list[str] = field(default_factory=list)
    unverified: list[Path] = field(default_factory=list)

    def summary(self) -> str:
        """The counts in one line."""
        parts = [
            f"{self.records} records",
            f"{self.equal} equal to what their arrays give",
            f"{self.differing} different",
            f"{len(self.unverified)} not verifiable here"
            + (f" (the MaxBoxAcc of {self.summed} is what their sums give)" if self.summed else ""),
            f"{self.left_aside} left aside",
        ]
        if self.other_version:
            parts.append(f"{self.other_version} of another version of the metrics")
        if self.foreign:
            parts.append(f"{self.foreign} figures of metrics from outside not verifiable")
        if self.weights:
            parts.append(f"{self.weights} files of weights as they were written")
        return ", ".join(parts)

    def without_arrays(self) -> str:
        """One line that says where the unverified records lie; empty where there is none."""
        folders = Counter(path.parent.as_posix() for path in self.unverified)
        where = ", ".join(f"{folder} ({count})" for folder, count in folders.items())
        return f"not verifiable here, arrays not beside them: {where}" if where else ""


def verify(results: Path | str, runs: Path | str | None = None) -> Verification:
    """Compute every figure, interval, threshold and optimism again, and compare it with the record.

    Args:
        results: a folder of results.
        runs: a folder of training runs; the hashes of their weights are compared with their run.json.

    Raises:
        UserError: no sound record there, or no run in ``runs``.
    """
    reading = read_folder(Path(results) / RUNS)
    found = Verification(
        records=len(reading.runs) + len(reading.left_aside),
        left_aside=len(reading.left_aside),
        findings=list(reading.left_aside),
    )
    for run in track(reading.runs, len(reading.runs), "verifying"):
        _verify(run, found)
    if runs is not None:
        _verify_weights(Path(runs), found)
    return found


def _verify(run: StoredRun, found: Verification) -> None:
    version = run.record.metrics_version
    if version != METRICS_VERSION:
        mend = "run `wsol results rescore`" if version < METRICS_VERSION else "take a newer wsol"
        found.other_version += 1
        found.findings.append(f"{run.path}: made by metrics version {version}: {mend}")
        return
    try:
        computed = recompute(run)
        sums = from_sums(run) if computed is None else None
    except UserError as error:
        found.differing += 1
        found.findings.append(str(error))
        return
    if computed is None:
        found.unverified.append(run.path)
        wrong = [f"{run.path}: {line}" for line in _differing_sums(run, sums or {})]
        found.findings += wrong
        found.differing += bool(wrong)
        found.summed += bool(sums) and not wrong
        return
    lines = [f"{run.path}: {line}" for line in _differences(run, computed)]
    found.findings += lines
    found.differing += bool(lines)
    found.equal += not lines
    found.foreign += sum(not is_own(key, computed.scores) for key in run.record.metrics)


def _differences(run: StoredRun, computed: Recomputed) -> Iterator[str]:
    """A line for each figure of the record that the arrays do not give."""
    record, scores = run.record, computed.scores
    nothing: Mapping[str, float | None] = {}
    pairs: dict[str, tuple[Any, Any]] = {
        "n_images": (record.n_images, computed.n_images),
        **{
            f"metrics.{key}.{part}": (figure[part], scores.metrics.get(key, nothing).get(part))
            for key, figure in record.metrics.items()
            if is_own(key, scores)
            for part in ("value", "low", "high")
        },
    }
    values = record.threshold.get("values", {})
    for key in values.keys() | scores.threshold["values"].keys():
        if key in record.metrics and is_own(key, scores):
            pairs[f"threshold.values.{key}"] = values.get(key), scores.threshold["values"].get(key)
    for key in record.optimism.keys() | scores.optimism.keys():
        if key in record.metrics and is_own(key, scores):
            pairs[f"optimism.{key}"] = record.optimism.get(key), scores.optimism.get(key)
    for key in record.counts.keys() | computed.counts.keys():
        pairs[f"counts.{key}"] = record.counts.get(key), computed.counts.get(key)
    for place, (said, given) in sorted(pairs.items()):
        if not same(said, given):
            yield f"{place} is {_number(said)}, its arrays give {_number(given)}"


def _differing_sums(run: StoredRun, sums: Mapping[str, float]) -> Iterator[str]:
    """A line for each figure of the record that the sums over images do not give."""
    for key, given in sums.items():
        said = run.record.metrics.get(key, {}).get("value")
        if said is not None and not same(said, given):
            yield f"metrics.{key}.value is {_number(said)}, the sums beside it give {_number(given)}"


def _number(value: float | None) -> str:
    return "null" if value is None else f"{value:.10g}"


def _verify_weights(runs: Path, found: Verification) -> None:
    """The files of weights that each run.json lists with their hash, if it lists them."""
    seen = 0
    for name in files_under(runs, _fail):
        path = Path(name)
        if path.name != "run.json":
            continue
        seen += 1
        try:
            facts = json.loads(read_regular(path, LARGEST_FACTS))
            for file, written in dict(facts.get("weights") or {}).items():
                weights = path.parent / str(file)  # of cross-fitted networks in a folder each
                if sha256_of(weights) == written:
                    found.weights += 1
                else:
                    found.findings.append(f"{weights}: not the weights that {path} was written with")
        except UserError as error:
            found.findings.append(str(error))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            found.findings.append(f"{path}: not what a training run says of itself: {error}")
    if not seen:
        raise UserError(f"{runs}: no training runs (run.json); --runs names the folder they lie in")


def _fail(error: OSError) -> None:
    raise UserError(f"{error.filename}: cannot be read: {error.strerror}") from error
