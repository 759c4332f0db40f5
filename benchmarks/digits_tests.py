"""The paired tests of the digits tables: each row of modules against CAM and the control.

Ablations of RFGA are compared with RFGA too; DREAL with the module that it trains, alone and under a
critic whose rewards are shuffled; dasNet's search with a random one.

    python benchmarks/digits_tests.py --results results --csv results/digits-tests.csv

Needs the per-image arrays beside the records, which are not committed for drawn data sets: the commands
in docs/digits-results.md write records and arrays anew, on one kind of CPU the same to the byte.

A line is a row, a test, and what the row is compared with, in the figure that `wsol diagnose` declares;
rows are compared over all seeds that both have, and with none of another precision. p is of that one
comparison: who reads several corrects it. Figures are printed as they come; the CSV is sorted.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from wsol.board.comparison.image_scores import read_arrays
from wsol.board.runs.reading import StoredRun, read_runs
from wsol.files.csv_table import csv_text
from wsol.files.writing.atomic import write_text
from wsol.maps import PREDICTED
from wsol.pipeline.diagnosis.figures import CLOSELY, PRIMARY
from wsol.pipeline.digits_recipes import controls_of, row_name
from wsol.recipe import AttentionSettings
from wsol.scores.comparison.compare_rows import compare_rows
from wsol.scores.comparison.comparison import Comparison
from wsol.scores.comparison.scored_row import ScoredRow
from wsol.scores.protocol import Protocol

COLUMNS = (
    "images", "metric", "attention", "maps", "precision", "against", "seeds", "n",
    "difference", "low", "high", "p", "by_seed",
)  # fmt: skip
CAM, CONTROL = ("none", "cam"), ("plain", "cam")


class Place(NamedTuple):
    """A row of one table: the images scored, its name (`row_name`), its maps, its precision."""

    images: str
    attention: str
    maps: str
    precision: str


def main() -> None:
    """Compare all rows; print and write the lines."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--csv", type=Path)
    arguments = parser.parse_args()
    rows = rows_of(read_runs(arguments.results / "runs"))
    lines = []
    print(",".join(COLUMNS))
    for line in compared(rows):
        print(",".join(line), flush=True)
        lines.append(line)
    if arguments.csv:
        options = f"--results {arguments.results} --csv {arguments.csv}"
        write_text(
            arguments.csv,
            f"# python benchmarks/digits_tests.py {options}\n{csv_text(COLUMNS, sorted(lines))}",
        )


def rows_of(runs: list[StoredRun]) -> dict[Place, dict[int, StoredRun]]:
    """The runs of networks on digits by row and seed."""
    found: dict[Place, dict[int, StoredRun]] = defaultdict(dict)
    for run in runs:
        record = run.record
        if record.dataset.get("reader") != "digits" or "training" not in record.seeds:
            continue
        what = record.recipe["what"]
        name = row_name(what["backbone"]["name"], label(what["attention"]), label(what["method"]))
        maps = record.maps.removesuffix(PREDICTED)
        place = Place(record.dataset["name"], name, maps, what["training"]["precision"])
        found[place][record.seeds["training"]] = run
    return found


def label(part: Mapping[str, Any]) -> str:
    """A part of a recipe by its name, its place and its options, as boards spell it."""
    return AttentionSettings(**part).label


def compared(rows: dict[Place, dict[int, StoredRun]]) -> Iterator[list[str]]:
    """The lines of every test."""
    for figure in (*PRIMARY, *CLOSELY):
        images = f"digits {figure.images.variant}"
        for place in sorted(rows):
            if place.images != images:
                continue
            own = [(name, place.maps) for name in controls_of(place.attention)]
            for attention, maps in (CAM, CONTROL, *own):
                other = Place(images, attention, maps, place.precision)
                if place[1:] == other[1:] or other not in rows:
                    continue
                seeds = sorted(rows[place].keys() & rows[other].keys())
                found = comparison(rows[place], rows[other], seeds, figure.key)
                if found is not None:
                    by_seed = differences(rows[place], rows[other], seeds, figure.key)
                    yield [*line_of(place, attention, seeds, figure.key, found), by_seed]


def comparison(
    row: dict[int, StoredRun], other: dict[int, StoredRun], seeds: list[int], key: str
) -> Comparison | None:
    """None where arrays are missing, or where the row has no such figure."""
    if not seeds or key not in row[seeds[0]].record.metrics:
        return None
    arrays = [[read_arrays(runs[seed]) for seed in seeds] for runs in (row, other)]
    if any(one is None for own in arrays for one in own):
        return None
    mine, theirs = (ScoredRow([one for one in own if one is not None]) for own in arrays)
    protocol = Protocol.of_record(row[seeds[0]].record.protocol)
    return compare_rows(mine, theirs, protocol, key)


def differences(
    row: dict[int, StoredRun], other: dict[int, StoredRun], seeds: list[int], key: str
) -> str:
    """Of each seed by itself: whether networks agree in which is better."""
    values = [
        [runs[seed].record.metrics[key]["value"] or 0.0 for seed in seeds] for runs in (row, other)
    ]
    return " ".join(f"{mine - theirs:+.2f}" for mine, theirs in zip(*values, strict=True))


def line_of(place: Place, against: str, seeds: list[int], key: str, found: Comparison) -> list[str]:
    """A line under `COLUMNS`, but for its last."""
    numbers = [f"{value:.2f}" for value in (found.difference, found.low, found.high)]
    told = [*place[1:], against, " ".join(map(str, seeds)), str(found.n_images)]
    return [place.images, key, *told, *numbers, f"{found.p_value:.4f}"]


if __name__ == "__main__":
    main()
