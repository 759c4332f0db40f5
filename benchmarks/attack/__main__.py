"""``python -m benchmarks.attack``: run the attacks, print the findings and the table."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.attack import __doc__ as purpose
from benchmarks.attack import command
from benchmarks.attack.disk import disk
from benchmarks.attack.duel import duel
from benchmarks.attack.findings import Tally, table
from benchmarks.attack.kills import kills
from benchmarks.attack.records import records
from benchmarks.attack.runs import runs
from benchmarks.attack.workbench import Workbench

ATTACKS = {"records": records, "runs": runs, "kills": kills, "disk": disk, "duel": duel}


def main() -> int:
    """Run what is asked for; 1 where something was found."""
    arguments = _arguments()
    command.WARM = not arguments.cold
    folder = arguments.output or Path(tempfile.mkdtemp(prefix="wsol-attack-"))
    os.environ["OMP_NUM_THREADS"] = "1"
    command.warm_up()
    bench = Workbench(folder.resolve(), arguments.seed)
    bench.make()
    tallies = []
    for name in arguments.only:
        tally, started = Tally(name, arguments.seed, arguments.case), time.monotonic()
        tallies.append(tally)
        ATTACKS[name](bench, tally)
        print(f"{name}: {len(tally.cases)} cases in {time.monotonic() - started:.0f} s", flush=True)
    print(f"\n{table(tallies)}")
    if any(tally.findings for tally in tallies):
        print(f"\nwhat was found lies in {folder}")
        return 1
    if not arguments.output:
        shutil.rmtree(folder)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.attack",
        description=purpose,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", default=",".join(ATTACKS), help="attacks by commas; default: all")
    parser.add_argument("--case", default="", help="only cases whose names contain this")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn")
    parser.add_argument(
        "--output", type=Path, help="an empty folder to work in; default: a temporary one"
    )
    parser.add_argument("--cold", action="store_true", help="each command a new Python; hours")
    arguments = parser.parse_args()
    arguments.only = arguments.only.split(",")
    if unknown := [name for name in arguments.only if name not in ATTACKS]:
        parser.error(f"--only {','.join(unknown)}: there are {', '.join(ATTACKS)}")
    if arguments.output and arguments.output.exists() and any(arguments.output.iterdir()):
        parser.error(f"--output {arguments.output}: is not empty")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
