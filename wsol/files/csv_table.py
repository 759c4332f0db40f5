r"""The one way in which wsol writes CSV: UTF-8, ``\n`` line ends, a header, whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from wsol.files.atomic import write_text


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The table as text; the same rows give the same bytes on every machine."""
    text = io.StringIO()
    table_writer(text, columns).writerows(rows)
    return text.getvalue()


def write_csv(path: Path | str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """Write the table whole or not at all; returns its path."""
    return write_text(path, csv_text(columns, rows))


def table_writer(file: TextIO, columns: Sequence[str]):
    """A writer of rows into an open file, its header written: for tables too long for the memory."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    return writer
