"""Run records to leaderboard.csv and leaderboard.md, with intervals and paired tests. No torch."""

from wsol.leaderboard.board import Board, read_board, write_board
from wsol.leaderboard.reading import read_records, read_runs
from wsol.leaderboard.table import frame

__all__ = ["Board", "frame", "read_board", "read_records", "read_runs", "write_board"]
