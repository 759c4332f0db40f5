"""A grid run from the command line (``benchmark``, ``demo``): it ends with where its rows stand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from wsol.board.board import FILES, RUNS
from wsol.board.rows.columns import percent
from wsol.board.standings import Standing, Standings, standings
from wsol.board.tables.markdown import estimate_text
from wsol.errors import UserError
from wsol.progress import is_first_rank

if TYPE_CHECKING:
    from wsol.pipeline.benchmark import Grid

# Off a terminal lines are as long as they need to be.
PLAIN_WIDTH = 300


def run_and_tell(grid: Grid, jobs: int, before_board: Callable[[Grid], object] | None = None) -> None:
    """Run a grid; then write the boards it belongs to, and print how its rows stand there.

    ``before_board`` is called between the two.

    Raises:
        UserError: what the grid raises; rows that failed, and damaged records of other runs, are named
            after what the others came to.
    """
    from wsol.pipeline.benchmark import RowsFailed

    wrong: list[str] = []
    try:
        grid.run(jobs)
    except RowsFailed as error:
        wrong += str(error).splitlines()
    if before_board is not None:
        before_board(grid)
    if is_first_rank():  # under torchrun the others have nothing to add
        for results in grid.results:
            wrong += tell_end(results, grid.run_ids)
    if wrong:
        raise UserError.of(wrong)


def tell_end(results: Path | str, run_ids: Collection[str]) -> list[str]:
    """Write the board and the page of ``results``; print how the runs stand there, then the files.

    Where there is no record nothing is written, and nothing said. Returns the damaged records, a line
    each, that the board is without.
    """
    from wsol.pipeline.leaderboard import update_board

    if not any(Path(results, RUNS).rglob("*.json")):
        return []
    page, board, reading = update_board(results)
    reading.tell_notes()
    for found in standings(board, run_ids):
        print(text_of(found, _width()))
    for path in (*(Path(results) / name for name in FILES), page):
        print(path)
    return reading.left_aside


def text_of(found: Standings, width: int) -> str:
    """A table and what there is to say under it, for a terminal or a file of ``width`` columns."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    section = found.section
    name = section.short_name(section.ranked_by)
    table = Table(box=None, pad_edge=False, header_style="", padding=(0, 2, 0, 0))
    names = ["row", *(["network"] if _networks(found) > 1 else [])]
    for head, justify in [
        ("rank", "right"),
        *((head, "left") for head in names),
        ("seeds", "right"),
        (name, "right"),
        *([("minus CAM", "right")] if found.has_cam else []),
    ]:
        table.add_column(Text(head), justify=justify, overflow="fold")  # type: ignore[arg-type]
    for standing in found.rows:
        table.add_row(*map(Text, _cells(found, standing, len(names) > 1)))
    console = Console(file=sys.stdout, width=width, highlight=False, color_system=None)
    with console.capture() as captured:
        console.print(table)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    _, split, protocol, policy = section.place
    return "\n".join([f"{section.title}: {split}, {protocol}, {policy}", *lines, *_notes(found), ""])


def _cells(found: Standings, standing: Standing, networks: bool) -> list[str]:
    row, section = standing.row, found.section
    mark = section.mark(row)
    return [
        str(standing.rank),
        row.title + (f" ({mark})" if mark else ""),
        *([row["backbone"]] if networks else []),
        "" if row.seeds is None else str(row.seeds),
        estimate_text(row.estimates.get(section.ranked_by)),
        *([_difference(standing)] if found.has_cam else []),
    ]


def _difference(standing: Standing) -> str:
    """``+3.2 [1.0, 5.4]``; empty for CAM itself and where nothing can be paired."""
    comparison = standing.against_cam
    if comparison is None:
        return "no arrays" if standing.cam is not None else ""
    interval = f"[{percent(comparison.low, 1)}, {percent(comparison.high, 1)}]"
    return f"{comparison.difference:+.1f} {interval}"


def _notes(found: Standings) -> list[str]:
    section = found.section
    total = len(section.rows)
    shown = {section.mark(standing.row) for standing in found.rows}
    count = next((one.against_cam.n_images for one in found.rows if one.against_cam is not None), None)
    notes = [f"Ranks are among the {total} rows of the table; brackets hold 95 % intervals over images"]
    if any((one.row.seeds or 1) > 1 for one in found.rows):
        notes[0] += ", or from five seeds on over seeds"
    if not found.has_cam:
        notes.append("No CAM row here (attention none, method and maps cam): no differences to it")
    elif count is not None:
        of_queries = section.rows[0].records[0].dataset.get("queries")
        scored = "queries" if of_queries else "images"
        notes.append(f"Minus CAM of the same network: paired over the same {count:,} {scored}")
    marks = {said.mark: said.text for said in section.unlike.values()}
    notes += [f"({mark}): {text}" for mark, text in marks.items() if mark in shown]
    return [f"{note}." for note in notes]


def _networks(found: Standings) -> int:
    return len({one.row["backbone"] for one in found.rows if one.row["backbone"]})


def _width() -> int:
    from rich.console import Console

    return Console(file=sys.stdout).width if sys.stdout.isatty() else PLAIN_WIDTH
