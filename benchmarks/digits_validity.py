"""Does each test of digits expose what it is for: a network that should fail it, one that should not.

    python benchmarks/digits_validity.py --output validity --jobs 2 --csv results/validity.csv

The settings of the tests were chosen by seeds 0 to 2; seeds 3 to 5 say whether it holds for networks
that nobody looked at. A row is a test, a reading that should fail it and one that should not, in the
figure by which `wsol diagnose` compares. A test holds for a seed where the failing one is the worse.

Everything is trained in OUTPUT, and what is there is not trained again: some 40 minutes on two cores
that compute bf16, some hours on others, which take float32.

`scale` stands there twice. Over all sizes one threshold is too wide for small digits on any grid, and
does not tell a coarse one from a fine one; over digits of 12 pixels alone it does.

What fails by its nature: RFGA's gate lights anything bright; the mean of the features knows no class;
maps of 4 x 4 are coarse, and merge neighbours; TDAM's gate is a sigmoid, so what it says of an image
without an object is as high as of others; a class map lights what decides; a network whose training
images nearly always show the class's own texture lights the texture.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsol.data.digits.tests import DigitsSet, digits_set
from wsol.files.csv_table import csv_text
from wsol.files.writing.atomic import write_text
from wsol.pipeline.benchmark import Grid
from wsol.pipeline.diagnosis.ceiling import network_predictions, recipe_of, train_ceiling
from wsol.pipeline.diagnosis.control_scores import evaluated, values_of
from wsol.pipeline.diagnosis.drawn_images import drawn_images, folder_of
from wsol.pipeline.diagnosis.figures import PRIMARY, Figure
from wsol.pipeline.digits_recipes import digits_recipe, on_this_machine
from wsol.pipeline.outputs.publish import find_record
from wsol.recipe import AttentionSettings, How, MethodSettings, Recipe
from wsol.scores.records import RunRecord

COLUMNS = ("test", "figure", "which", "reading", "seed", "precision", "value", "top1")
SEEDS = (0, 1, 2, 3, 4, 5)
MASKS = "masks"  # in place of maps: the network that is supervised by them
MORE, LESS = (16, 32, 64, 96, 96), (16, 32, 64)


@dataclass(frozen=True)
class Reading:
    """Maps of one kind of network, on one kind of images.

    ``widths`` are the backbone's, empty for its own; ``drawn`` is the seed that its images are drawn by.
    """

    title: str
    figure: Figure
    maps: str = "cam"
    attention: str = "none"
    widths: tuple[int, ...] = ()
    drawn: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """What tells readings apart: the images, and what is read."""
        return self.figure.images.variant, self.title

    @property
    def training(self) -> DigitsSet:
        """The images that hold its training set."""
        test = self.figure.images.test
        share = {"share": self.figure.images["share"]} if test.training == "context" else {}
        return digits_set(test.training, **share)


def readings() -> list[tuple[Reading, Reading]]:
    """Of each test the one that should fail, and the one that should not."""
    primary = {figure.test: figure for figure in PRIMARY}
    small = Figure("scale", "max_box_acc@0.7", {"side": 12})
    base, company, none, parts = (primary[test] for test in ("base", "company", "none", "parts"))
    much, half = (
        Figure("context", "auc_context_over_ground", {"share": share}, better="low")
        for share in (0.95, 0.5)
    )
    grids = [
        (
            Reading("CAM, maps of 4 x 4", figure, widths=MORE),
            Reading("CAM, maps of 16 x 16", figure, widths=LESS),
        )
        for figure in (primary["scale"], small, primary["several"])
    ]
    return [
        (Reading("RFGA's gate", base, "attention", "rfga"), Reading("CAM", base)),
        (Reading("feature mean", company, "features"), Reading("CAM", company)),
        *grids,
        (Reading("TDAM's gate", none, "attention", "tdam"), Reading("CAM", none)),
        (Reading("CAM", parts), Reading("supervised by masks", parts, MASKS)),
        (Reading("CAM, own texture in 95 %", much), Reading("CAM, own texture in half", half)),
    ]


def main() -> None:
    """Train, score, and print a line a reading and seed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("validity"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--csv", type=Path)
    arguments = parser.parse_args()
    lines = list(lines_of(readings(), arguments.output, arguments.seeds, arguments.jobs))
    print(csv_text(COLUMNS, lines))
    if arguments.csv:
        write_text(arguments.csv, csv_text(COLUMNS, lines))


def lines_of(
    tests: Sequence[tuple[Reading, Reading]], output: Path, seeds: Sequence[int], jobs: int
) -> Iterator[list[str]]:
    """The lines under `COLUMNS`, all that they need trained before the first."""
    trained = [one for pair in tests for one in pair if one.maps != MASKS]
    recipes = {one.key: recipe(one, output) for one in trained}
    grid = Grid(
        list(dict.fromkeys(recipes.values())),
        seeds,
        also=lambda row: [
            folder_of(one.figure.images, output) for one in trained if recipes[one.key] == row
        ],
        baselines=False,
    )
    grid.run(jobs)
    for pair in tests:
        images = pair[0].figure.images.variant  # by which a line goes, whatever the other one saw
        for which, reading in zip(("fails", "stands"), pair, strict=True):
            for seed in seeds:
                if reading.maps == MASKS:
                    value, top1 = supervised(reading, output, seed)
                else:
                    value, top1 = recorded(reading, grid, recipes[reading.key], seed)
                figure = reading.figure
                precision = recipe_of(drawn_images(reading.training, output)).training.precision
                told = [images, figure.key, which, reading.title, str(seed), precision]
                yield [*told, f"{value:.1f}", f"{top1:.1f}"]


def recipe(reading: Reading, output: Path) -> Recipe:
    """The recipe of a reading's network; its images are drawn where they are missing."""
    for images in (reading.training, reading.figure.images):
        drawn_images(images, output, seed=reading.drawn)
    how = How(runs=(output / "runs").as_posix(), results=(output / "results").as_posix())
    manifest = folder_of(reading.training, output)
    attention = AttentionSettings(name=reading.attention)
    options = {"options": {"widths": list(reading.widths)}} if reading.widths else {}
    row = on_this_machine(digits_recipe(attention, MethodSettings(), manifest, how))
    return row.changed(backbone=options, evaluation={"maps": [reading.maps]})


def recorded(reading: Reading, grid: Grid, of: Recipe, seed: int) -> tuple[float, float]:
    """The figure of a trained network, and its accuracy on the own test of its training set."""
    row = next(row for row in grid.rows_of(of) if row.recipe.seed == seed)
    records = {}
    for scoring in row.scorings:
        path = find_record(of.how.results, scoring.run_ids[0])
        assert path is not None, "the grid has made it"
        records[scoring.manifest.title] = RunRecord.read(path)
    figure = records[f"digits {reading.figure.images.variant}"].metrics[reading.figure.key]["value"]
    top1 = records[f"digits {reading.training.variant}"].metrics["top1_acc"]["value"]
    assert figure is not None and top1 is not None
    return figure, top1


def supervised(reading: Reading, output: Path, seed: int) -> tuple[float, float]:
    """The same of a network that is trained with masks here and now."""
    training = drawn_images(reading.training, output)
    split = training.split("test")
    of = recipe_of(training, seed=seed)
    network = train_ceiling(of, training)
    values = values_of(evaluated(network_predictions(network, split, of, shares=True), split))
    return values[reading.figure.key] or 0.0, values["top1_acc"] or 0.0


if __name__ == "__main__":
    main()
