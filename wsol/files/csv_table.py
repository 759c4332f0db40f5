r"""The one way in which wsol writes CSV: UTF-8, ``\n`` line ends, a header, whole or not at all.

A spreadsheet runs a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end as a formula,
and names of files and classes may come from anybody. Such a text is written with an apostrophe in front,
which spreadsheets show as text; `table_rows` takes it off again. The rule, exactly:

- Written: a text of apostrophes, if any, and then one of these characters gets one apostrophe more. A
  number never does, nor does a text that spells one (``-3.25``).
- Read: a cell of at least one apostrophe and then one of these characters loses its first apostrophe.

So every text comes back as it was. Tables of earlier versions, which have no such apostrophes, are read
as they are; only a text that itself began with an apostrophe and one of these characters loses it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from wsol.files.writing.atomic import write_text

FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
FIRST = frozenset("'=+-@\t\r\n")
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The table as text; the same rows give the same bytes on every machine."""
    text = io.StringIO()
    table_writer(text, columns).writerows(rows)
    return text.getvalue()


def write_csv(path: Path | str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """Write the table whole or not at all; returns its path."""
    return write_text(path, csv_text(columns, rows))


class TableWriter:
    """Writes rows into an open file; see the module for texts that look like formulas."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(_EndingLines(file), lineterminator="\r\n")

    def writerow(self, cells: Sequence[Any]) -> None:
        """Write one row."""
        self._writer.writerow([shown(cell) for cell in cells])

    def writerows(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows as they come."""
        for cells in rows:
            self.writerow(cells)


class _EndingLines:
    r"""Ends lines with ``\n``; as ``csv.writer``'s own line end it would leave a ``\r`` unquoted."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, line: str) -> None:
        self._file.write(line.removesuffix("\r\n") + "\n")


def table_writer(file: TextIO, columns: Sequence[str]) -> TableWriter:
    """A writer of rows into an open file, its header written: for tables too long for the memory."""
    writer = TableWriter(file)
    writer.writerow(columns)
    return writer


def table_rows(file: Iterable[str], **dialect: Any) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row, the header first, as they were before they were written.

    ``dialect`` goes to ``csv.reader``, whose ``csv.Error`` it raises. An empty line has no cells.
    """
    reader = csv.reader(file, **dialect)
    for cells in reader:
        yield reader.line_num, [meant(cell) for cell in cells]


def shown(cell: Any) -> Any:
    """A cell as it is written."""
    # Most cells begin with a letter or a digit: the first character alone tells it.
    if not (isinstance(cell, str) and cell[:1] in FIRST and FORMULA.match(cell)):
        return cell
    return cell if NUMBER.fullmatch(cell) else f"'{cell}"


def meant(cell: str) -> str:
    """A cell as it was before it was written."""
    return cell[1:] if cell[:1] == "'" and FORMULA.match(cell) else cell
