"""``add``: records of another folder of results are copied into this one, with all that is theirs."""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsol.board.board import RUNS
from wsol.board.runs.reading import StoredRun, read_folder
from wsol.errors import UserError
from wsol.files.reading import sha256_of
from wsol.files.writing.atomic import replacing
from wsol.files.writing.whole_folder import temporary_folder
from wsol.pipeline.results.plans import Plan
from wsol.pipeline.results.run_files import RunFiles
from wsol.report.page import GALLERIES
from wsol.scores.records import RunRecord

# A run repeated elsewhere, or at another time, has others of these and is the same run.
CIRCUMSTANCES = ("started", "finished", "git_commit", "versions", "cost", "seeds", "schema_version")


@dataclass
class AddPlan(Plan):
    """What is copied from ``source`` to ``results``, and what is not.

    ``new`` are runs that are not there yet, ``completed`` runs that are there without their arrays or
    gallery; ``same`` counts those that are there whole. Left out are damaged records and runs
    whose place is taken by something else.
    """

    source: Path
    results: Path
    new: list[RunFiles] = field(default_factory=list)
    completed: list[RunFiles] = field(default_factory=list)
    same: int = 0

    def lines(self) -> list[str]:
        """The plan for people."""
        return [
            *(f"new: {files.names(self.source)}" for files in self.new),
            *(f"to be completed: {files.names(self.source)}" for files in self.completed),
            f"{len(self.new)} new, {len(self.completed)} to be completed, {self.same} already here, "
            f"{len(self.left_out)} left out",
        ]

    def place(self, path: Path) -> Path:
        """Where a file of the source goes."""
        return self.results / path.relative_to(self.source)


def plan(source: Path | str, results: Path | str) -> AddPlan:
    """What `add` would do; ``UserError`` where ``source`` has no record, or is ``results`` itself."""
    planned = AddPlan(Path(source), Path(results))
    if planned.source.resolve() == planned.results.resolve():
        raise UserError(f"{source}: these are the results themselves; name another folder to add")
    reading = read_folder(planned.source / RUNS)
    here = read_folder(planned.results / RUNS, may_be_empty=True)
    known = {run.record.run_id: run for run in here.runs}
    planned.left_out += reading.left_aside
    for run in reading.runs:
        _sort(run, known.get(run.record.run_id), planned)
    return planned


def add(planned: AddPlan) -> None:
    """Copy what is planned. Each run comes whole or not at all: its record last."""
    for files in [*planned.completed, *planned.new]:
        for path in files.arrays:
            _copy(path, planned.place(path))
        if files.gallery is not None:
            _copy_folder(files.gallery, planned.place(files.gallery))
        if files in planned.new:
            _copy(files.record, planned.place(files.record))


def _sort(run: StoredRun, there: StoredRun | None, planned: AddPlan) -> None:
    files = RunFiles.of(run, planned.source)
    if there is not None:
        if _figures(there.record) != _figures(run.record):
            planned.left_out.append(
                f"{run.path}: {there.path} is the same run (run_id {run.record.run_id}) with other "
                "figures; keep the one that `wsol results verify` finds right"
            )
            return
        # Its files go beside the record that is there, which may lie in another folder.
        missing = _missing(files, there, planned)
        planned.same += missing is None
        planned.completed += [] if missing is None else [missing]
        return
    taken = [planned.place(path) for path in files.arrays if _taken(path, planned.place(path))]
    if planned.place(run.path).exists():
        taken.append(planned.place(run.path))
    if taken:
        planned.left_out.append(f"{run.path}: {taken[0]} is another file; move it away")
    else:
        planned.new.append(files)


def _figures(record: RunRecord) -> dict[str, Any]:
    """What a record says of its run but for when, where and how fast it ran."""
    content = {each.name: getattr(record, each.name) for each in dataclasses.fields(record)}
    arrays = {key: value for key, value in record.arrays.items() if key.endswith("sha256")}
    return {key: value for key, value in content.items() if key not in CIRCUMSTANCES} | {
        "arrays": arrays,
        "recipe": record.recipe["what"],
    }


def _missing(files: RunFiles, there: StoredRun, planned: AddPlan) -> RunFiles | None:
    """Those files that the run in the results lacks; None where it lacks none."""
    if there.path != planned.place(files.record):
        return None
    arrays = tuple(path for path in files.arrays if not planned.place(path).exists())
    gallery = files.gallery
    if gallery is not None and (planned.results / GALLERIES / gallery.name).exists():
        gallery = None
    return RunFiles(files.record, arrays, gallery) if arrays or gallery else None


def _taken(path: Path, place: Path) -> bool:
    return place.exists() and not (place.is_file() and sha256_of(place) == sha256_of(path))


def _copy(path: Path, place: Path) -> None:
    with replacing(place) as temporary:
        shutil.copyfile(path, temporary)


def _copy_folder(folder: Path, place: Path) -> None:
    if place.exists():
        return  # of an earlier attempt: a folder appears whole
    with temporary_folder(place) as temporary:
        whole = temporary / place.name
        shutil.copytree(folder, whole)
        whole.rename(place)
