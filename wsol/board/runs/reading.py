"""A folder of run records -> the sound runs in it, each known by its file, and what was left aside."""

from __future__ import annotations

import hashlib
import json
import marshal
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from wsol.board.runs.memory import Memory
from wsol.errors import UserError
from wsol.files.reading import files_under, read_regular
from wsol.progress import say
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.records import LARGEST_RECORD, RunRecord
from wsol.scores.records.record import checked, specifications

SHOWN = 20


class StoredRun(NamedTuple):
    """A record and the file it was read from."""

    path: Path
    record: RunRecord


@dataclass
class Reading:
    """The sound ``runs`` of a folder, folder by folder, by name.

    ``left_aside`` are the files that were changed or damaged, ``notes`` what else a reader should know,
    a line each.
    """

    runs: list[StoredRun] = field(default_factory=list)
    left_aside: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def tell(self) -> None:
        """Say on stderr what was left aside, and the notes; of many the first, and how many more."""
        for line in shortened(self.left_aside):
            say(f"wsol: left aside: {line}")
        self.tell_notes()

    def tell_notes(self) -> None:
        """Say on stderr what else a reader should know."""
        for line in shortened(self.notes):
            say(f"wsol: note: {line}")


def read_runs(folder: Path | str) -> list[StoredRun]:
    """Every sound record ``**/*.json`` under ``folder`` as a run, folder by folder.

    What was changed or damaged is named on stderr and left aside.

    Raises:
        UserError: no sound record there.
    """
    reading = read_folder(folder)
    reading.tell()
    return reading.runs


def read_records(folder: Path | str) -> list[RunRecord]:
    """The records of `read_runs` without their files."""
    return [run.record for run in read_runs(folder)]


def read_folder(folder: Path | str, memory: Memory | None = None, may_be_empty: bool = False) -> Reading:
    """Every ``**/*.json`` under ``folder`` that is a sound record, and a line for each that is not.

    ``memory`` spares the checks of content that passed them before.

    Raises:
        UserError: no record there, or none that is sound (all are named), unless it ``may_be_empty``.
    """
    folder = Path(folder)
    reader = _Reader(folder, memory or Memory())
    reading = reader.read()
    if not reading.runs and not may_be_empty:
        missing = f"{folder}: no run records (*.json); `wsol evaluate` and `wsol benchmark` write them"
        raise UserError.of(reading.left_aside or [f"{missing}, --results names another folder"])
    return reading


def shortened(lines: list[str], limit: int = SHOWN) -> list[str]:
    """The first ``limit`` lines, and how many more there are."""
    more = [f"... and {len(lines) - limit} more"] if len(lines) > limit else []
    return [*lines[:limit], *more]


class _Reader:
    """One pass over a folder."""

    def __init__(self, folder: Path, memory: Memory) -> None:
        self.folder, self.memory, self.shared = folder, memory, _Shared()
        self.reading = Reading()

    def read(self) -> Reading:
        """Everything that the folder holds."""
        files = files_under(self.folder, self._unreadable)
        runs = (self._run(Path(path)) for path in files if path.endswith(".json"))
        for run in [run for run in runs if run is not None and self._has_its_arrays(run)]:
            self.reading.runs.append(run)
        self._one_file_each()
        return self.reading

    def _unreadable(self, error: OSError) -> None:
        if error.filename != str(self.folder):
            self.reading.left_aside.append(f"{error.filename}: cannot be read: {error.strerror}")

    def _run(self, path: Path) -> StoredRun | None:
        """The run in a file; None where it was left aside."""
        try:
            content = read_regular(path, LARGEST_RECORD)
            known = hashlib.sha256(content).hexdigest()
            sound = self.memory.knows(known)
            raw = json.loads(content) if sound else checked(content, path)
        except UserError as error:
            self.reading.left_aside.append(str(error))
            return None
        self.memory.sound.add(known)
        return StoredRun(path, self.shared.record(raw))

    def _has_its_arrays(self, run: StoredRun) -> bool:
        """Whether the files of arrays beside a record are its own; a missing one is noted."""
        for path, written in run.record.arrays_beside(run.path):
            if not os.path.lexists(path):
                # Those of large data sets stay where they were made.
                if not path.name.endswith(".large.npz"):
                    self.reading.notes.append(f"{run.path}: its arrays {path.name} are not beside it")
                continue
            try:
                found = self.memory.sha256(path, self._name(path))
            except UserError as error:
                self.reading.left_aside.append(f"{error}; {run.path} is left aside with it")
                return False
            if found != written:
                self.reading.left_aside.append(
                    f"{path}: not the arrays {run.path} was written with; restore both or evaluate the "
                    "run again, which replaces them"
                )
                return False
        return True

    def _one_file_each(self) -> None:
        """Of copies of one run the first is kept; files of one run that differ are all left aside."""
        files: dict[str, list[StoredRun]] = {}
        for run in self.reading.runs:
            files.setdefault(run.record.run_id, []).append(run)
        if len(files) == len(self.reading.runs):
            return
        kept: list[StoredRun] = []
        for run_id, (first, *others) in files.items():
            names = ", ".join(str(run.path) for run in others)
            if all(run.record == first.record for run in others):
                kept.append(first)
                if others:
                    self.reading.notes.append(f"{names}: the same run as {first.path}; one is enough")
            else:
                self.reading.left_aside.append(
                    f"{first.path} and {names}: one run (run_id {run_id}) with different content; "
                    "keep the one that `wsol results verify` finds right"
                )
        self.reading.runs[:] = kept

    def _name(self, path: Path) -> str:
        return str(path)[len(str(self.folder)) :]


class _Shared:
    """Parts that many records have in common, kept once: nearly all of a recipe, versions, protocols."""

    def __init__(self) -> None:
        self.values: dict[bytes, Any] = {}
        self.said: dict[bytes, dict[str, MetricSpecification]] = {}

    def record(self, raw: dict[str, Any]) -> RunRecord:
        """The record of content that was checked before, its parts shared with other records."""
        key = _key([raw.get("specifications"), raw["protocol"], list(raw["metrics"])])
        if key not in self.said:
            self.said[key] = specifications(raw)
        what, how = raw["recipe"]["what"], raw["recipe"]["how"]
        self._share(what, what)
        self._share(how, how)
        self._share(raw["metrics"], [name for name, one in raw["metrics"].items() if not one["value"]])
        self._share(raw, ("protocol", "dataset", "versions", "seeds", "counts"))
        return RunRecord.of_checked(raw, self.said[key])

    def _share(self, parts: dict[str, Any], names: Iterable[str]) -> None:
        for name in names:
            if type(part := parts.get(name)) is dict:
                parts[name] = self.values.setdefault(_key(part), part)


def _key(value: Any) -> bytes:
    # marshal is the quickest way to bytes that differ where values do; nothing reads them again.
    return marshal.dumps(value, 2)
