"""A results folder -> its leaderboard.csv and leaderboard.md, a pure view of the records."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from wsol.board.markdown import to_markdown
from wsol.board.reading import read_runs
from wsol.board.rows import Row, group
from wsol.board.sections import Section, sections
from wsol.board.table import to_csv
from wsol.files.atomic import write_text
from wsol.progress import say

RUNS = "runs"


class Board(NamedTuple):
    """All rows by key, the same rows ranked in the tables they belong to, and what is left out."""

    rows: list[Row]
    sections: list[Section]
    left_out: list[str]


def read_board(results: Path | str) -> Board:
    """The board of ``results/runs/**/*.json``; `read_runs` says what is refused.

    What `group` leaves out is named on stderr.
    """
    rows, left_out = group(read_runs(Path(results) / RUNS))
    for line in left_out:
        say(line)
    return Board(rows, sections(rows), left_out)


def write_board(results: Path | str) -> tuple[Path, Path]:
    """Write ``leaderboard.csv`` and ``.md`` into ``results``; the same records give the same bytes."""
    results = Path(results)
    board = read_board(results)
    return (
        write_text(results / "leaderboard.csv", to_csv(board.rows)),
        write_text(results / "leaderboard.md", to_markdown(board.sections)),
    )
