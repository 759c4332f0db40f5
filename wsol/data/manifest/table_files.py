"""The tables of a manifest as files: their columns, and reading and writing them row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from wsol.errors import UserError
from wsol.files.csv_table import table_rows, table_writer
from wsol.files.reading import refuse_no_file

COLUMNS = {
    "images.csv": ("image_id", "path", "label", "width", "height", "split"),
    "boxes.csv": (
        *("image_id", "x0", "y0", "x1", "y1"),
        *("source_x0", "source_y0", "source_x1", "source_y1"),
    ),
    "masks.csv": ("image_id", "mask", "ignore"),
    "classes.csv": ("label", "name", "key"),
}
# Columns that a table may have after its own. They are written only where some row fills them, so that
# manifests which say nothing of the kind keep their bytes and with them their hash.
OPTIONAL = {"boxes.csv": ("label", "instance"), "masks.csv": ("parts",)}


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row of the table ``path``, which is called as in `COLUMNS`.

    The header must be the table's columns, then those of its `OPTIONAL` ones that it has; cells of the
    others are empty. A byte order mark, CRLF and blanks around cells are taken as they come.
    ``UserError`` where the file is missing, no UTF-8, has another header or a row of another length.
    """
    columns, optional = COLUMNS[path.name], OPTIONAL.get(path.name, ())
    refuse_no_file(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = table_rows(file, strict=True)
            header = tuple(cell.strip() for cell in next(rows, (1, []))[1])
            used = tuple(name for name in optional if name in header)
            if header != columns + used:
                more = f"; after them there may be {','.join(optional)}" if optional else ""
                raise UserError(f"{path} line 1: the columns must be {','.join(columns)}{more}")
            for line, cells in rows:
                if len(cells) != len(header):
                    if not cells:
                        continue
                    raise UserError(
                        f"{path} line {line}: {len(cells)} cells where there are {len(header)} columns"
                    )
                cells = [cell.strip() for cell in cells]
                if used != optional:
                    said = dict(zip(used, cells[len(columns) :], strict=True))
                    cells[len(columns) :] = [said.get(name, "") for name in optional]
                yield line, cells
    except FileNotFoundError:
        raise UserError(f"{path}: no such table; run `wsol prepare` again") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a UTF-8 CSV table ({error})") from error


class TableFile:
    """The file ``path`` with ``columns``, and those of the ``optional`` ones that some row fills.

    A table in which no row fills an optional column is written without that column: it has the same
    bytes, and so the manifest the same hash, as before the column existed.
    """

    def __init__(self, path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> None:
        self.path, self.columns, self.optional = path, tuple(columns), tuple(optional)
        self._used: tuple[str, ...] = ()
        self._open()

    def add(self, cells: Sequence[Any], said: Mapping[str, Any] | None = None) -> None:
        """Write one row: a cell for each of the columns, and ``said`` the optional cells by column."""
        filled = {name: cell for name, cell in (said or {}).items() if cell not in (None, "")}
        if not filled.keys() <= set(self._used):
            self._widen({*self._used, *filled})
        self._rows.writerow((*cells, *(filled.get(name, "") for name in self._used)))

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def _open(self) -> None:
        # Names that are no UTF-8 text are findings; until these are reported, the row must be written.
        self._file = self.path.open("w", encoding="utf-8", errors="replace", newline="")
        self._rows = table_writer(self._file, (*self.columns, *self._used))

    def _widen(self, used: set[str]) -> None:
        """Write the rows so far again, with an empty cell in each column that is new."""
        self._file.close()
        narrow = self.path.rename(self.path.with_suffix(".narrow"))
        before, self._used = self._used, tuple(name for name in self.optional if name in used)
        self._open()
        end = len(self.columns)
        with narrow.open(encoding="utf-8", newline="") as file:
            rows = table_rows(file)
            next(rows)
            for _, row in rows:
                said = dict(zip(before, row[end:], strict=True))
                self._rows.writerow((*row[:end], *(said.get(name, "") for name in self._used)))
        narrow.unlink()
