"""Cells -> a Markdown table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from wsol.files.csv_table import table_rows


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int) -> str:
    """A table whose first ``left`` columns are text and whose other columns are numbers."""
    lines = [list(head), ["---"] * left + ["--:"] * (len(head) - left), *map(list, rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def table_of(csv: Path, left: int) -> tuple[list[str], str]:
    """What the comments of a CSV file say, line by line, and its table."""
    text = csv.read_text("utf-8").splitlines()
    told = [line.removeprefix("#").strip() for line in text if line.startswith("#")]
    (_, columns), *found = table_rows(line for line in text if not line.startswith("#"))
    return told, table(columns, [cells for _, cells in found], left)
