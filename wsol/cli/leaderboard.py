"""``wsol leaderboard``: regenerate leaderboard.csv and leaderboard.md from the run records."""

from __future__ import annotations

from collections.abc import Sequence

from wsol.board.board import update_board
from wsol.cli.parser import Parser
from wsol.errors import UserError


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit code: 2 where records were left aside, the board written."""
    parser = Parser(
        "leaderboard",
        "Regenerate leaderboard.csv and leaderboard.md from RESULTS/runs. Records that were changed or "
        "damaged are named and left aside: the board is of the others, and the exit code is 2.",
    )
    parser.add_argument("--results", default="results", help="folder of runs/ and of the board")
    csv, markdown, reading = update_board(parser.parse(argv).results)
    print(csv)
    print(markdown)
    reading.tell_notes()
    if reading.left_aside:
        raise UserError.of(reading.left_aside)
    return 0
