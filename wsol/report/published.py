"""Numbers that papers report, on the page but apart from what was measured here."""

from __future__ import annotations

import csv
from pathlib import Path

from wsol.errors import UserError
from wsol.files.csv_table import table_rows
from wsol.files.reading import refuse_no_file
from wsol.report.cells import Table, TableRow, columns, text_cell


def published(path: Path) -> Table | None:
    """``published.csv`` as a table; None where there is no such file.

    Raises:
        UserError: no table of UTF-8 text, or a line with more or fewer fields than the first.
    """
    if not path.is_file():
        return None
    heads, lines = _read(path)
    findings = [
        f"{path} line {line}: {len(fields)} fields where the first line has {len(heads)}; "
        "put text with commas between double quotes"
        for line, fields in lines
        if len(fields) != len(heads)
    ]
    if findings:
        raise UserError.of(findings)
    rows = (TableRow(None, tuple(map(text_cell, fields))) for _, fields in lines)
    return Table("Published numbers", columns(heads), tuple(rows))


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The fields of the first line, and those of each later one with its line number."""
    refuse_no_file(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [(line, fields) for line, fields in table_rows(file) if fields]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a CSV table in UTF-8 ({error}); save it as one") from error
    if not lines:
        raise UserError(f"{path}: empty; delete it, or give it a line of column names")
    return lines[0][1], lines[1:]
