"""``wsol report``: one HTML page with the table, the curves and the overlays."""

from __future__ import annotations

from collections.abc import Sequence

from wsol.cli.parser import Parser
from wsol.report import write_report


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    parser = Parser(
        "report", "One HTML page of its own: the table, curves and overlays of RESULTS/runs."
    )
    parser.add_argument("--results", default="results", help="folder of runs/ and report/")
    parser.add_argument("--output", help="the page; RESULTS/report.html where not given")
    arguments = parser.parse(argv)
    print(write_report(arguments.results, arguments.output))
    return 0
