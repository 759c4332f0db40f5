"""The verb ``leaderboard``: the board from its records, and the page to look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wsol import board
from wsol.board import Board
from wsol.board.runs.reading import Reading
from wsol.report import write_report

if TYPE_CHECKING:
    import pandas as pd


def leaderboard(results: Path | str, *, write: bool = False) -> pd.DataFrame:
    """The leaderboard of a folder of results, a row a method; the columns are those of the CSV.

    Args:
        results: a folder whose ``runs`` hold the records.
        write: write ``leaderboard.csv``, ``leaderboard.md`` and ``report.html`` too; the same records
            give the same bytes of the first two.

    Raises:
        UserError: no records there, a file that is no record.

    Examples:
        >>> import wsol
        >>> board = wsol.leaderboard("results")                      # doctest: +SKIP
        >>> board[["dataset", "attention", "max_box_acc@0.5"]]       # doctest: +SKIP
    """
    if write:
        write_board(results)
    return board.frame(board.read_board(results).rows)


def write_board(results: Path | str) -> Path:
    """Write ``leaderboard.csv``, ``leaderboard.md`` and ``report.html``; returns the page's path."""
    page, _, reading = update_board(results)
    reading.tell()
    return page


def update_board(results: Path | str) -> tuple[Path, Board, Reading]:
    """`write_board`, which says nothing: the page, the board, and what was read and left aside."""
    board.update_board(results)
    whole, reading = board.look(results)
    return write_report(results, board=whole), whole, reading
