"""What a leaderboard of many records costs: CPU seconds and memory, from nothing and once remembered.

    python benchmarks/board_scale.py [--records 10000] [--arrays] [--folder DIR]

The records are copies of the committed ones under other data sets' names, so that each is another run;
with ``--arrays`` their arrays lie beside them as links. Each line is a process of its own. Two processes
that race for one board must both end well, and leave the same bytes as one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from wsol.board.runs.memory import PLACE
from wsol.scores.records import RunRecord, content_id

COMMITTED = Path(__file__).parents[1] / "results" / "runs"
FILES = ("leaderboard.csv", "leaderboard.md")


def make(results: Path, count: int, arrays: bool) -> None:
    """Write so many records into ``results/runs``, of as many data sets as that takes."""
    sources = sorted(COMMITTED.rglob("*.json"))
    for number in range(count):
        source = sources[number % len(sources)]
        raw = json.loads(source.read_text(encoding="utf-8"))
        edition = number // len(sources)
        raw["dataset"]["name"] += f", edition {edition}"
        raw["dataset"]["manifest_hash"] = f"{edition:08x}{raw['dataset']['manifest_hash'][8:]}"
        policy = raw["threshold"]["policy"]
        what, dataset, protocol = raw["recipe"]["what"], raw["dataset"], raw["protocol"]
        raw["run_id"] = content_id(what, dataset, protocol, raw["maps"], policy)
        folder = results / "runs" / f"{edition:03}"
        if not arrays:
            raw["arrays"] = {}
        elif name := raw["arrays"].get("file"):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(source.with_name(name).resolve())
        raw.pop("digest", None)
        raw["schema_version"] = 1
        # Read and written again it is a record of today, with its digest.
        record = RunRecord.of_bytes(json.dumps(raw).encode(), source)
        record.write(folder / f"{number:06}-{record.run_id}.json")


# Not getrusage of children, which would add them up: each process tells its own.
PROGRAM = """
import resource, sys
from wsol.cli.main import main
code = main(["leaderboard", "--results", sys.argv[1]])
used = resource.getrusage(resource.RUSAGE_SELF)
scale = 1 if sys.platform == "darwin" else 1024
print("cost", used.ru_utime + used.ru_stime, used.ru_maxrss * scale / 2**20)
sys.exit(code)
"""


def start(results: Path) -> subprocess.Popen[str]:
    """A process that makes the board, one thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, str(results)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def cost(process: subprocess.Popen[str]) -> tuple[float, float]:
    """CPU seconds and MiB of a process that ended well."""
    output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"wsol leaderboard ended with {process.returncode}")
    _, seconds, memory = output.splitlines()[-1].split()
    return float(seconds), float(memory)


def touch(results: Path, seed: int) -> None:
    """One record more."""
    path = next((results / "runs").rglob("*.json"))
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["recipe"]["what"]["seed"] = 1000 + seed
    for key in ("digest", "run_id"):
        raw.pop(key)
    raw["arrays"] = {}
    policy = raw["threshold"]["policy"]
    run_id = content_id(raw["recipe"]["what"], raw["dataset"], raw["protocol"], raw["maps"], policy)
    raw |= {"run_id": run_id, "schema_version": 1}
    RunRecord.of_bytes(json.dumps(raw).encode(), path).write(path.with_name(f"more-{seed}.json"))


def forget(results: Path) -> None:
    """Remove what was remembered, and the board."""
    shutil.rmtree(results / PLACE.parent, ignore_errors=True)
    for name in FILES:
        (results / name).unlink(missing_ok=True)


def board(results: Path) -> list[bytes]:
    """The files of the board."""
    return [(results / name).read_bytes() for name in FILES]


def measure(results: Path) -> Iterator[tuple[str, float, float]]:
    """What was done, CPU seconds, MiB."""
    forget(results)
    yield "nothing remembered", *cost(start(results))
    alone = board(results)
    (results / FILES[1]).unlink()
    yield "records remembered, the board made anew", *cost(start(results))
    assert board(results) == alone
    yield "nothing changed", *cost(start(results))
    assert board(results) == alone
    touch(results, 1)
    yield "one record more", *cost(start(results))
    more = board(results)
    assert more != alone
    for remembered in (False, True):
        if not remembered:
            forget(results)
        else:
            (results / FILES[0]).unlink()
        racing = [start(results), start(results)]
        for number, process in enumerate(racing, start=1):
            name = "remembered" if remembered else "nothing remembered"
            yield f"race of two, {name}: process {number}", *cost(process)
        assert board(results) == more


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--arrays", action="store_true", help="with per-image arrays, as links")
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        results = Path(folder)
        make(results, options.records, options.arrays)
        print(f"{options.records:,} records{' with arrays' if options.arrays else ''}")
        print(f"{'':46}{'CPU s':>8}{'MiB':>8}")
        for name, seconds, memory in measure(results):
            print(f"{name:46}{seconds:8.2f}{memory:8.0f}", flush=True)
        print("the same bytes each time, and from both processes of each race")


if __name__ == "__main__":
    main()
