"""How much the figures of digits depend on which images were drawn: CAM on three drawings of all tests.

    python benchmarks/digits_generator_seeds.py --output generators --jobs 2 \\
        --csv benchmarks/results/digits_generator_seeds.csv

Other seeds of the generator draw other training images and other test images, but from the same digits
and textures. Each drawing has its own networks, of the same training seeds. A line is one network's
figure; the last two columns say what the network was trained in, and how many of 100 test images it
classifies.

Everything is trained in OUTPUT, and what is there is not trained again.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from digits_validity import Reading, recipe, recorded

from wsol.files.csv_table import csv_text
from wsol.files.writing.atomic import write_text
from wsol.pipeline.benchmark import Grid
from wsol.pipeline.diagnosis.drawn_images import folder_of
from wsol.pipeline.diagnosis.figures import PRIMARY

COLUMNS = ("test", "figure", "generator_seed", "training_seed", "value", "precision", "top1")
SEEDS = (0, 1, 2)


def main() -> None:
    """Draw, train, score, and print a line a network and figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("generators"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--csv", type=Path)
    arguments = parser.parse_args()
    lines = list(lines_of(arguments.output, arguments.seeds, arguments.jobs))
    print(csv_text(COLUMNS, lines))
    if arguments.csv:
        command = f"# python benchmarks/digits_generator_seeds.py {shlex.join(sys.argv[1:])}\n"
        write_text(arguments.csv, command + csv_text(COLUMNS, lines))


def lines_of(output: Path, seeds: Sequence[int], jobs: int) -> Iterator[list[str]]:
    """The lines under `COLUMNS`, all that they need trained before the first."""
    readings = [Reading("CAM", figure, drawn=drawn) for figure in PRIMARY for drawn in SEEDS]
    recipes = [recipe(one, folder(one, output)) for one in readings]
    scored = list(zip(readings, recipes, strict=True))
    grid = Grid(
        list(dict.fromkeys(recipes)),
        seeds,
        also=lambda row: [
            folder_of(one.figure.images, folder(one, output)) for one, own in scored if own == row
        ],
        baselines=False,
    )
    grid.run(jobs)
    for one, own in scored:
        for seed in seeds:
            value, top1 = recorded(one, grid, own, seed)
            told = [one.figure.test, one.figure.key, str(one.drawn), str(seed), f"{value:.1f}"]
            yield [*told, own.training.precision, f"{top1:.1f}"]


def folder(reading: Reading, output: Path) -> Path:
    """Where all of one drawing lies."""
    return output / f"drawn-{reading.drawn}"


if __name__ == "__main__":
    main()
