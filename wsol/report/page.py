"""A results folder -> report.html: one file that needs nothing else, neither network nor pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wsol.board.board import Board, read_board
from wsol.board.tables.sections import Section
from wsol.files.reading import read_regular
from wsol.files.writing.atomic import write_text
from wsol.report.cells import Table
from wsol.report.curves import Curves, curves
from wsol.report.overlay_table import OverlayTable, overlay_table
from wsol.report.published import published
from wsol.report.rendering import render
from wsol.report.row_style import style_rows
from wsol.report.table import class_table, details_table, metrics_table, seeds_table

# Overlays of runs lie here under the results folder, by run id (`save_gallery`).
GALLERIES = "report"
# What the page opens with, in the words of who made the results: paragraphs of plain text.
LEAD, LONGEST_LEAD = "lead.txt", 100_000


@dataclass(frozen=True)
class SectionView:
    """What the page shows of a section of the board; parts that are None are left out."""

    anchor: str
    title: str
    place: tuple[str, ...]
    facts: tuple[str, ...]
    metrics: Table
    footnotes: tuple[str, ...]
    classes: Table | None
    seeds: Table | None
    curves: Curves
    overlays: OverlayTable | None
    details: Table


def write_report(
    results: Path | str, output: Path | str | None = None, board: Board | None = None
) -> Path:
    """Write the page of ``results`` to ``output``, or to ``results/report.html``.

    The ``board`` is read where it is not given. Read are ``runs/**/*.json``, the per-image arrays beside
    them, ``report/<run_id>/`` for overlays, ``published.csv``, and what the page is to open with,
    ``lead.txt``; what is not there is left out.
    `wsol.board.read_board` says what is refused.
    """
    results = Path(results)
    return write_text(output or results / "report.html", page(results, board or read_board(results)))


def page(results: Path, board: Board) -> str:
    """The page as text; the same results, the same text."""
    sections = [
        _section(section, results / GALLERIES, number) for number, section in enumerate(board.sections)
    ]
    return render(
        "page.html.jinja",
        rows=len(board.rows),
        runs=sum(len(row.runs) for row in board.rows),
        lead=_lead(results / LEAD),
        sections=sections,
        published=published(results / "published.csv"),
    )


def _lead(path: Path) -> list[str]:
    """The paragraphs of the file; none where there is no such file."""
    if not path.is_file():
        return []
    text = read_regular(path, LONGEST_LEAD).decode("utf-8", "replace")
    paragraphs = text.split("\n\n")
    return [" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip()]


def _section(section: Section, galleries: Path, number: int) -> SectionView:
    styles = style_rows(section.rows, number)
    return SectionView(
        anchor=f"section-{number}",
        title=section.title,
        place=tuple(section.place[1:]),
        facts=tuple(section.facts()),
        metrics=metrics_table(section, styles),
        footnotes=tuple(section.footnotes()),
        classes=class_table(section, styles),
        seeds=seeds_table(section, styles),
        curves=curves(styles),
        overlays=overlay_table(styles, galleries),
        details=details_table(styles),
    )
