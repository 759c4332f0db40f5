"""The verb ``leaderboard``: the board from its records, and the page to look at."""

from __future__ import annotations

from pathlib import Path

from wsol import board
from wsol.report import write_report


def write_board(results: Path | str) -> Path:
    """Write ``leaderboard.csv``, ``leaderboard.md`` and ``report.html``; returns the page's path."""
    board.write_board(results)
    return write_report(results)
