"""``remove``: a row or a run leaves a folder of results, with its arrays and galleries."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from wsol.board.board import RUNS
from wsol.board.rows.rows import group
from wsol.board.runs.reading import Reading, StoredRun, read_folder
from wsol.errors import UserError, suggest
from wsol.files.reading import files_under
from wsol.pipeline.results.listing import row_name
from wsol.pipeline.results.plans import Plan
from wsol.pipeline.results.run_files import RunFiles

SHORTEST_ID = 4  # hex digits by which a run may be called


@dataclass
class RemovePlan(Plan):
    """What is removed from ``results``."""

    results: Path
    files: list[RunFiles]

    def lines(self) -> list[str]:
        """The plan for people."""
        runs = "1 run" if len(self.files) == 1 else f"{len(self.files)} runs"
        return [*(f"to remove: {each.names(self.results)}" for each in self.files), f"{runs} to remove"]


def plan(called: str, results: Path | str) -> RemovePlan:
    """The files of what is ``called`` so.

    Args:
        called: a row, ``DATASET: ROW, maps MAPS`` or ``ROW`` alone where that is clear; a run id or the
            start of one; the name of a record's file, sound or damaged, without ``.json``.
        results: a folder of results.

    Raises:
        UserError: nothing is called so, or several things are.
    """
    results = Path(results)
    reading = read_folder(results / RUNS, may_be_empty=True)
    files = (
        _by_id(called, reading, results)
        or _by_file(called, reading, results)
        or _by_row(called, reading, results)
    )
    if not files:
        names = [
            Path(name).stem for name in files_under(results / RUNS, _ignore) if name.endswith(".json")
        ]
        near = suggest(called, names, "`wsol results list` shows what there is")
        raise UserError(f"{results}: no row, run or record is called {called!r}{near}")
    leaving = {each.record for each in files}
    kept = [run for run in reading.runs if run.path not in leaving]
    # Arrays that another record names too stay with it.
    named = {run.path.with_name(name) for run in kept for name in _names(run)}
    return RemovePlan(
        results,
        [
            RunFiles(each.record, tuple(path for path in each.arrays if path not in named), each.gallery)
            for each in files
        ],
    )


def remove(planned: RemovePlan) -> None:
    """Remove the files, each record first: arrays without a record are no row."""
    for files in planned.files:
        files.record.unlink()
        for path in files.arrays:
            path.unlink(missing_ok=True)
        if files.gallery is not None:
            shutil.rmtree(files.gallery)


def _by_id(called: str, reading: Reading, results: Path) -> list[RunFiles]:
    if len(called) < SHORTEST_ID or set(called) - set("0123456789abcdef"):
        return []
    found = [run for run in reading.runs if run.record.run_id.startswith(called)]
    if len(found) > 1:
        ids = ", ".join(run.record.run_id for run in found[:5])
        raise UserError(f"{called!r} begins {len(found)} run ids, {ids}: give more of it")
    return [RunFiles.of(run, results) for run in found]


def _by_file(called: str, reading: Reading, results: Path) -> list[RunFiles]:
    """The record whose file is called so, sound or damaged."""
    paths = [Path(name) for name in files_under(results / RUNS, _ignore) if name.endswith(".json")]
    stem = called.removesuffix(".json")
    found = [path for path in paths if stem in _names_of(path, results)]
    if len(found) > 1:
        names = ", ".join(map(str, found))
        raise UserError(f"{len(found)} files are called {called!r}: {names}; write one of these")
    sound = {run.path: run for run in reading.runs}
    return [
        RunFiles.of(sound[path], results) if path in sound else RunFiles.of_damaged(path, results)
        for path in found
    ]


def _names_of(path: Path, results: Path) -> tuple[str, ...]:
    """What the file of a record may be called: its name, its place, the run's id that ends its name."""
    bare = path.with_suffix("")
    return bare.name, str(bare), str(bare.relative_to(results)), bare.name.rpartition("-")[2]


def _by_row(called: str, reading: Reading, results: Path) -> list[RunFiles]:
    rows = {
        f"{row['dataset']}: {row_name(row)}, maps {row['maps']}": row for row in group(reading.runs).rows
    }
    found = [row for name, row in rows.items() if called in (name, row_name(row))]
    if len(found) > 1:
        names = "\n".join(f"  {name}" for name, row in rows.items() if row in found)
        raise UserError(f"{len(found)} rows are called {called!r}; write one of\n{names}")
    return [RunFiles.of(run, results) for row in found for run in row.runs]


def _names(run: StoredRun) -> list[str]:
    return [run.record.arrays[key] for key in ("file", "levels_file") if key in run.record.arrays]


def _ignore(error: OSError) -> None:
    """A folder that cannot be read has nothing that could be removed."""
