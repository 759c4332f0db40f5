"""``wsol leaderboard``: regenerate leaderboard.csv and leaderboard.md from the run records."""

from __future__ import annotations

from collections.abc import Sequence

from wsol.board import write_board
from wsol.cli.parser import Parser


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    parser = Parser("leaderboard", "Regenerate leaderboard.csv and leaderboard.md from RESULTS/runs.")
    parser.add_argument("--results", default="results", help="folder of runs/ and of the board")
    for path in write_board(parser.parse(argv).results):
        print(path)
    return 0
