"""A learning rate for each recipe, from one grid for all, by its own top-1 on val.

    python benchmarks/learning_rates.py --configs configs/cub40/mobilenetv2_{cam,adl}.yaml [--csv FILE]
        [--rows RESULTS --seeds 0,1,2]

Every recipe is trained at each multiple of its learning rates (the backbone's, the attention's, the
head's alike) from one seed, and scored on val, where nothing but the labels is read. The best is chosen,
the smaller of equal ones. What that took is told: trials, and hours of training at the threads stated.
With ``--rows`` the chosen ones are then trained from every seed and scored as the recipes say; their
records state the number of trials. Runs are kept in ``--runs`` and not trained twice.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import shlex
import sys
from pathlib import Path

import wsol
from wsol.board.runs.reading import StoredRun, read_runs
from wsol.files.csv_table import csv_text
from wsol.files.writing.atomic import write_text
from wsol.recipe import Recipe

FACTORS = (0.33, 1.0, 3.0)
RATES = ("lr", "attention_lr", "head_lr")
COLUMNS = ("recipe", "multiple", "lr", "val top-1", "chosen", "hours", "threads")


def main() -> None:
    """Train and score what is missing; print the table and, with ``--csv``, write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--configs", type=Path, nargs="+", required=True)
    parser.add_argument("--factors", type=float, nargs="+", default=FACTORS)
    parser.add_argument("--manifest", help="instead of the recipes' own")
    parser.add_argument("--weights", help="the weights file, instead of the recipes' own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--runs", default="runs")
    parser.add_argument("--results", default="learning_rates")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--rows", help="the folder of results where the chosen rows go")
    parser.add_argument("--seeds", default="0,1,2", help="of the chosen rows")
    asked = parser.parse_args()
    trials = {
        path.stem: {factor: trial(path, factor, asked) for factor in asked.factors}
        for path in asked.configs
    }
    everything = [recipe for own in trials.values() for recipe in own.values()]
    wsol.benchmark(everything, seeds=[asked.seed], jobs=asked.jobs)
    runs = read_runs(Path(asked.results) / "runs")
    lines = [line for name, own in trials.items() for line in lines_of(name, own, runs)]
    print(csv_text(COLUMNS, lines), end="")
    hours = sum(float(line[COLUMNS.index("hours")]) for line in lines)
    print(f"{len(lines)} trials, {hours:.2f} hours of training")
    if asked.csv:
        options = " ".join(map(shlex.quote, sys.argv[1:]))
        head = f"# python benchmarks/learning_rates.py {options}\n"
        write_text(asked.csv, head + csv_text(COLUMNS, lines))
    if asked.rows:
        best = [chosen(path, trials[path.stem], lines, asked) for path in asked.configs]
        wsol.benchmark(best, seeds=[int(seed) for seed in asked.seeds.split(",")], jobs=asked.jobs)


def chosen(
    path: Path, trials: dict[float, Recipe], lines: list[list[str]], asked: argparse.Namespace
) -> Recipe:
    """The recipe at the rates that were best on val, to be scored as it says itself."""
    factor = next(float(line[1]) for line in lines if line[0] == path.stem and line[4])
    best = trials[factor].changed(how={"results": asked.rows}, tuning_trials=len(trials))
    return dataclasses.replace(best, evaluation=Recipe.from_yaml(path).evaluation)


def trial(path: Path, factor: float, asked: argparse.Namespace) -> Recipe:
    """The recipe at a multiple of its rates, scored by accuracy on val."""
    recipe = Recipe.from_yaml(path)
    rates = {name: getattr(recipe.training, name) for name in RATES}
    changes = {name: at(rate, factor) for name, rate in rates.items() if rate is not None}
    recipe = recipe.changed(
        training=changes,
        evaluation={"split": "val", "maps": recipe.evaluation.maps[:1]},
        how={"results": asked.results, "runs": asked.runs},
    )
    if asked.manifest:
        recipe = recipe.changed(data={"manifest": asked.manifest})
    return recipe.changed(weights={"file": asked.weights}) if asked.weights else recipe


def at(rate: float, factor: float) -> float:
    """The rate times the multiple, to two digits, so that a recipe can say it."""
    return float(f"{rate * factor:.2g}")


def lines_of(name: str, trials: dict[float, Recipe], runs: list[StoredRun]) -> list[list[str]]:
    """A line a trial of one recipe."""
    found = {factor: record_of(recipe, runs) for factor, recipe in trials.items()}
    top1 = {factor: run.record.metrics["top1_acc"]["value"] or 0.0 for factor, run in found.items()}
    best = max(sorted(top1), key=lambda factor: top1[factor])
    return [
        [
            name,
            f"{factor:g}",
            f"{trials[factor].training.lr:g}",
            f"{top1[factor]:.2f}",
            "yes" if factor == best else "",
            f"{hours_of(run):.3f}",
            str(run.record.recipe["how"]["threads"]),
        ]
        for factor, run in found.items()
    ]


def record_of(recipe: Recipe, runs: list[StoredRun]) -> StoredRun:
    """The record of a trial, by its attention, method and rates."""
    what = recipe.what()

    def alike(other: dict) -> bool:
        rates = all(other["training"].get(name) == what["training"].get(name) for name in RATES)
        return rates and all(other[part] == what[part] for part in ("method", "attention"))

    whats = [(run, run.record.recipe["what"]) for run in runs]
    return next(run for run, other in whats if "backbone" in other and alike(other))


def hours_of(run: StoredRun) -> float:
    """From the start of the training to its end."""
    training = run.record.recipe["how"]["training"]
    begun, ended = (datetime.datetime.fromisoformat(training[key]) for key in ("started", "finished"))
    return (ended - begun).total_seconds() / 3600


if __name__ == "__main__":
    main()
