"""``wsol benchmark``: recipes times seeds, resumable, then the board and where the rows stand in it."""

from __future__ import annotations

import dataclasses

from wsol.cli.grid_end import run_and_tell
from wsol.cli.parser import Parser, at_least, folder
from wsol.cli.recipe_arguments import parse_recipe
from wsol.cli.seeds import seeds_of


def option_of(argv: list[str]) -> dict[str, str]:
    """The recipe's keys that have options of another name here."""
    return {"how.device": "--device", "how.results": "--results"}


def main(argv: list[str]) -> int:
    """Train and score every recipe and seed that has no record yet, then write the board.

    What is not an option of its own overrides a key of all recipes, as in ``wsol train``.
    """
    parser = Parser(
        "benchmark",
        "Train and evaluate recipes and seeds, skipping what is done; write the board and say where the "
        "rows stand in it. Interrupted, the same command goes on; started twice, both share the rows. "
        "Any other option overrides that key of every recipe: --attention my_attention:MyAttention, "
        "--training.epochs 5.",
    )
    parser.add_argument("--config", nargs="+", required=True, help="recipes, YAML")
    parser.add_argument("--seeds", default="0", help="comma-separated")
    parser.add_argument(
        "--jobs",
        type=at_least(1),
        default=1,
        help="rows at a time, each a process with its part of the cores",
    )
    parser.add_argument(
        "--also", nargs="+", default=[], metavar="MANIFEST", help="score every run on these too"
    )
    parser.add_argument(
        "--results", type=folder, help="folder of records and boards; default: as the recipe says"
    )
    parser.add_argument("--overlays", type=at_least(0), default=8, help="pictures a row for the report")
    parser.add_argument("--device", help="auto, cpu or cuda; default: as the recipe says")
    parser.add_argument("--threads", type=at_least(1), help="torch's on a CPU; default: the recipe's")
    arguments, overrides = parser.parse_known_args(argv)
    if any(override.split("=")[0] == "--seed" for override in overrides):
        parser.error("--seed is --seeds here")
    recipes = []
    for path in arguments.config:
        recipe, _ = parse_recipe(["--config", path, *overrides], "benchmark")
        asked = {key: getattr(arguments, key) for key in ("results", "device", "threads")}
        how = dataclasses.replace(recipe.how, **{key: value for key, value in asked.items() if value})
        recipes.append(dataclasses.replace(recipe, how=how))
    seeds = seeds_of(arguments.seeds)
    from wsol.pipeline.benchmark import Grid

    grid = Grid(recipes, seeds, arguments.overlays, lambda recipe: arguments.also)
    run_and_tell(grid, arguments.jobs)
    return 0
