"""Run records to leaderboard.csv and leaderboard.md, with intervals and paired tests. No torch."""

from wsol.board.board import Board, look, read_board, update_board, write_board
from wsol.board.runs.reading import read_records, read_runs
from wsol.board.tables.table import frame

__all__ = [
    "Board",
    "frame",
    "look",
    "read_board",
    "read_records",
    "read_runs",
    "update_board",
    "write_board",
]
