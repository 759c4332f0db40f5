"""Numbers that papers report, on the page but apart from what was measured here."""

from __future__ import annotations

import csv
from pathlib import Path

from wsol.report.table import sortable, text_cell


def published(path: Path) -> str:
    """``published.csv`` as a section of its own; nothing where there is none."""
    if not path.is_file():
        return ""
    with path.open(encoding="utf-8", newline="") as file:
        heads, *rows = csv.reader(file)
    body = [f"<tr>{''.join(text_cell(text) for text in row)}</tr>" for row in rows]
    return (
        '<section id="published"><h2>Published numbers <span>not measured here</span></h2>'
        "<p>As their sources report them, under conventions that differ; never to be ranked with the "
        f"rows above.</p><details><summary>{len(rows)} numbers with their sources</summary>"
        f"{sortable(heads, body)}</details></section>"
    )
