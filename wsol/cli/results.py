"""``wsol results verify | rescore | add | remove | list | bounds``: what is done with results."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from wsol.cli.parser import Parser
from wsol.errors import UserError, suggest

if TYPE_CHECKING:
    from wsol.pipeline.results.plans import Plan

AnyPlan = TypeVar("AnyPlan", bound="Plan")


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    actions = {
        "verify": _verify,
        "rescore": _rescore,
        "add": _add,
        "remove": _remove,
        "list": _list,
        "bounds": _bounds,
    }
    if not argv or argv[0].startswith("-"):
        parser = Parser(
            "results",
            "Verify the records of a folder of results against their arrays, compute them again, add "
            "another folder's, remove a row's, list them, or tell the bounds of their maps.",
        )
        parser.add_argument("action", choices=list(actions), help="see wsol results ACTION --help")
        parser.parse(argv)
    action, *rest = argv
    if action not in actions:
        raise UserError(f"unknown action {action!r}{suggest(action, actions)}")
    return actions[action](rest)


def _verify(argv: Sequence[str]) -> int:
    from wsol.pipeline.results.verify import verify

    parser = _parser(
        "verify",
        "Compute every figure, interval, threshold and optimism of every record again from the arrays "
        "beside it and compare. Differences are named, and the exit code is 2. Records without arrays "
        "(wsol's own of drawn data sets, whose arrays are not committed) are counted; of them only "
        "MaxBoxAcc is verified, by the sums over images beside them.",
    )
    parser.add_argument(
        "--strict", action="store_true", help="a record without its arrays is a finding too"
    )
    parser.add_argument(
        "--runs", type=Path, help="folder of training runs: the hashes of their weights are checked too"
    )
    options = parser.parse(argv)
    found = verify(options.results, options.runs)
    if where := found.without_arrays():
        print(where)
    print(found.summary())
    findings = list(found.findings)
    if options.strict:
        findings += [f"{path}: its arrays are not beside it" for path in found.unverified]
    if findings:
        raise UserError.of(findings)
    return 0


def _rescore(argv: Sequence[str]) -> int:
    from wsol.pipeline.results.rescore import plan, rescore

    parser = _parser(
        "rescore",
        "Compute records that an older version of the metrics made again from their arrays. Their run "
        "ids stay; records that are up to date stay as they are.",
    )
    _dry_run(parser)
    options = parser.parse(argv)
    return _carry_out(plan(options.results), rescore, options)


def _add(argv: Sequence[str]) -> int:
    from wsol.pipeline.results.add import add, plan

    parser = _parser(
        "add",
        "Copy the records of another folder of results that are not here yet, with their arrays and "
        "galleries. Runs that are here with other content, and damaged records, are named and left out.",
    )
    parser.add_argument("folder", type=Path, help="the other folder of results")
    parser.add_argument(
        "--skip", action="store_true", help="exit code 0 also where something was left out"
    )
    _dry_run(parser)
    options = parser.parse(argv)
    return _carry_out(plan(options.folder, options.results), add, options, options.skip)


def _remove(argv: Sequence[str]) -> int:
    from wsol.pipeline.results.remove import plan, remove

    parser = _parser(
        "remove", "Remove the records of a row, or of a run, with their arrays and galleries."
    )
    parser.add_argument(
        "row",
        help="a row as `wsol results list` calls it, a run id or the start of one, or a file's name "
        "without .json",
    )
    _dry_run(parser)
    options = parser.parse(argv)
    code = _carry_out(plan(options.row, options.results), remove, options)
    if not options.dry_run:
        print("removed; `wsol leaderboard` makes the board of the others")
    return code


def _list(argv: Sequence[str]) -> int:
    from wsol.pipeline.results.listing import list_results, to_csv, to_lines

    parser = _parser("list", "One line a record: its run, row, seed and main figure.")
    parser.add_argument("--csv", action="store_true", help="as CSV")
    options = parser.parse(argv)
    listed, reading = list_results(options.results)
    print(to_csv(listed) if options.csv else "\n".join(to_lines(listed)))
    reading.tell_notes()
    if reading.left_aside:
        raise UserError.of(reading.left_aside)
    return 0


def _bounds(argv: Sequence[str]) -> int:
    from wsol.pipeline.results.bounds import bounds, to_csv, to_lines

    parser = _parser(
        "bounds",
        "How many boxes would be right if each image had the threshold that is best for it: a bound of "
        "the maps, which no method can choose, and is never ranked. Rows whose arrays are not beside "
        "their records are left out.",
    )
    parser.add_argument(
        "--iou", type=float, nargs="+", default=[], help="at these alone (default: the protocol's)"
    )
    parser.add_argument("--csv", action="store_true", help="as CSV")
    options = parser.parse(argv)
    found, reading = bounds(options.results, options.iou)
    if not found:
        raise UserError(f"{options.results}: no row with boxes has its arrays beside its records")
    print(to_csv(found) if options.csv else "\n".join(to_lines(found)))
    reading.tell_notes()
    if reading.left_aside:
        raise UserError.of(reading.left_aside)
    return 0


def _parser(action: str, description: str) -> Parser:
    parser = Parser(f"results {action}", description)
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of results")
    return parser


def _carry_out(
    planned: AnyPlan,
    action: Callable[[AnyPlan], Iterable[str] | None],
    options: argparse.Namespace,
    skip: bool = False,
) -> int:
    """Print the plan and do it; what is left out is exit code 2 unless it is to be skipped."""
    print("\n".join(planned.lines()))
    if not options.dry_run:
        for line in action(planned) or ():
            print(line)
    if planned.left_out and not skip:
        raise UserError.of(planned.left_out)
    return 0


def _dry_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
