"""The files that make one run in a folder of results: its record, arrays and gallery."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wsol.board.runs.reading import StoredRun
from wsol.report.page import GALLERIES

# What arrays beside a record are called when the record itself cannot be read.
ARRAYS = (".npz", ".large.npz", ".levels.npz")


@dataclass(frozen=True)
class RunFiles:
    """The files of a run that exist."""

    record: Path
    arrays: tuple[Path, ...] = ()
    gallery: Path | None = None

    @classmethod
    def of(cls, run: StoredRun, results: Path) -> RunFiles:
        """Those of a sound record."""
        named = (run.record.arrays.get(key) for key in ("file", "levels_file"))
        beside = (run.path.with_name(name) for name in named if name)
        gallery = results / GALLERIES / run.record.run_id
        return cls(
            run.path,
            tuple(path for path in beside if path.is_file()),
            gallery if gallery.is_dir() else None,
        )

    @classmethod
    def of_damaged(cls, path: Path, results: Path) -> RunFiles:
        """Those of a record that cannot be read, by its name, which ends with the run's id."""
        beside = (path.with_name(path.stem + ending) for ending in ARRAYS)
        gallery = results / GALLERIES / path.stem.rpartition("-")[2]
        return cls(
            path,
            tuple(file for file in beside if file.is_file()),
            gallery if gallery.is_dir() and gallery.name else None,
        )

    def names(self, results: Path) -> str:
        """The files for people, as places in the results."""
        gallery = [] if self.gallery is None else [self.gallery]
        return ", ".join(
            str(path.relative_to(results)) for path in (self.record, *self.arrays, *gallery)
        )
