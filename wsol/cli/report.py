"""``wsol report``: one HTML page with the table, the curves and the overlays."""

from __future__ import annotations

from collections.abc import Sequence

from wsol.board.board import look
from wsol.cli.parser import Parser
from wsol.errors import UserError
from wsol.report import write_report


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit code: 2 where records were left aside, the page written."""
    parser = Parser(
        "report",
        "One HTML page of its own: the table, curves and overlays of RESULTS/runs. Records that "
        "were changed or damaged are named and left aside: the page is of the others, and the exit code "
        "is 2.",
    )
    parser.add_argument("--results", default="results", help="folder of runs/ and report/")
    parser.add_argument("--output", help="the page; RESULTS/report.html where not given")
    arguments = parser.parse(argv)
    board, reading = look(arguments.results)
    print(write_report(arguments.results, arguments.output, board))
    reading.tell_notes()
    if reading.left_aside:
        raise UserError.of(reading.left_aside)
    return 0
