"""A folder of run records -> the runs in it, each known by its file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from wsol.errors import UserError
from wsol.scores.records import RunRecord


class StoredRun(NamedTuple):
    """A record and the file it was read from."""

    path: Path
    record: RunRecord


def read_runs(folder: Path | str) -> list[StoredRun]:
    """Every ``**/*.json`` under ``folder`` as a run, sorted by path.

    Raises:
        UserError: no record there, a file that is not a record (all such files are named), or two
            files of one run.
    """
    folder = Path(folder)
    # A leading dot is a record that another process is writing just now (wsol.files.atomic).
    paths = sorted(path for path in folder.rglob("*.json") if not path.name.startswith("."))
    if not paths:
        raise UserError(
            f"{folder}: no run records (*.json); `wsol evaluate` and `wsol benchmark` write them"
        )
    runs: list[StoredRun] = []
    findings: list[str] = []
    first_file: dict[str, Path] = {}
    for path in paths:
        try:
            record = RunRecord.read(path)
        except (ValueError, OSError) as error:
            findings.append(str(error))
            continue
        earlier = first_file.setdefault(record.run_id, path)
        if earlier != path:
            findings.append(f"{path}: the same run as {earlier} (run_id {record.run_id}); remove one")
        runs.append(StoredRun(path, record))
    if findings:
        raise UserError.of(findings)
    return runs


def read_records(folder: Path | str) -> list[RunRecord]:
    """The records of `read_runs` without their files."""
    return [run.record for run in read_runs(folder)]
