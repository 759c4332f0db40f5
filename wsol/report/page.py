"""A results folder -> report.html: one file that needs nothing else, neither network nor pictures."""

from __future__ import annotations

from html import escape
from pathlib import Path

from wsol.board import read_board
from wsol.board.sections import Section
from wsol.files.atomic import write_text
from wsol.report.curves import curves
from wsol.report.overlay_table import overlays
from wsol.report.published import published
from wsol.report.row_style import shown_rows
from wsol.report.style import SCRIPT, STYLE
from wsol.report.table import class_table, details_table, metrics_table

READING = """<p>Percent throughout. Under a value stands its 95&nbsp;% interval: with one seed over the
images, which speaks of that checkpoint; with five or more over the seeds, which speaks of the method;
between these only the standard deviation. <b class="alike">&asymp;</b> marks what these images cannot
tell from the centred box (paired test over the same images, p&nbsp;&ge;&nbsp;0.05; like the column of
differences it speaks of these checkpoints). Tinted rows are baselines that every localizer has to beat;
the best other row of a column is bold. Optimism is by how much choosing the threshold on the scored
images flatters a row; under that oracle GT-known Loc is MaxBoxAcc&nbsp;.5. Numbers compare within one
table and nowhere else.</p>"""

# Overlays of runs lie here under the results folder, by run id (`save_gallery`).
GALLERIES = "report"


def write_report(results: Path | str, output: Path | str | None = None) -> Path:
    """Write the page of ``results`` to ``output``, or to ``results/report.html``.

    Reads ``runs/**/*.json``, the per-image arrays beside them, ``report/<run_id>/`` for overlays and
    ``published.csv``; what is not there is left out. `wsol.board.read_board` says what is refused.
    """
    results = Path(results)
    return write_text(output or results / "report.html", page(results))


def page(results: Path) -> str:
    """The page as text; the same results, the same text."""
    board = read_board(results)
    links = [
        f'<a href="#section-{number}">{escape(_heading(section))}</a>'
        for number, section in enumerate(board.sections)
    ]
    body = [
        _section(section, results / GALLERIES, number) for number, section in enumerate(board.sections)
    ]
    papers = published(results / "published.csv")
    if papers:
        links.append('<a href="#published">Published numbers</a>')
        body.append(papers)
    runs = sum(len(row.runs) for row in board.rows)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>wsol report</title><style>{STYLE}</style></head><body><main>
<header><h1>Weakly-supervised object localization</h1>
<p class="lead">Image labels in, boxes out: {len(board.rows)} rows from {runs} runs.</p>
<nav>{"".join(links)}</nav>
<details open><summary>How to read this page</summary>{READING}</details></header>
{"".join(body)}</main><script>{SCRIPT}</script></body></html>
"""


def _heading(section: Section) -> str:
    _, split, protocol, policy = section.place
    return f"{section.title}: {split}, {protocol}, {policy}"


def _section(section: Section, galleries: Path, number: int) -> str:
    rows = shown_rows(section.rows, number)
    facts = "".join(f"<li>{escape(fact)}</li>" for fact in section.facts())
    place = escape(" · ".join(section.place[1:]))
    return (
        f'<section id="section-{number}"><h2>{escape(section.title)} <span>{place}</span></h2>'
        f'<ul class="facts">{facts}</ul>{metrics_table(section, rows)}'
        f"{class_table(section, rows)}"
        f"{curves(rows)}{overlays(rows, galleries)}"
        f"<details><summary>Cost and provenance</summary>{details_table(rows)}</details></section>"
    )
