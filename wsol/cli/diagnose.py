"""``wsol diagnose``: what an attention module mends, beside CAM and a control of as many parameters."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from wsol.cli.control_lines import tell_controls
from wsol.cli.parser import Parser, at_least, folder
from wsol.cli.recipe_arguments import parse_recipe
from wsol.cli.seeds import seeds_of
from wsol.errors import UserError
from wsol.recipe import AttentionSettings, MethodSettings, Recipe

if TYPE_CHECKING:
    from wsol.pipeline.diagnosis.diagnose import Diagnosis


def main(argv: list[str]) -> int:
    """Train, score and compare; prints the table and the sentences, and writes them beside a picture."""
    parser = Parser(
        "diagnose",
        "Say what an attention module mends, worsens, and what cannot be told: seven tests on drawn "
        "digits, beside CAM and a control of as many parameters, all at one budget. Interrupted, the "
        "same command goes on. Options of module and method are a recipe's: --attention.options.k 3, "
        "--attention.at stage3, --method NAME.",
    )
    parser.add_argument(
        "module",
        nargs="?",
        default="none",
        help="a name of `wsol list attention`, or package.module:Class",
    )
    parser.add_argument("--seeds", default="0", help="comma-separated; each row is trained once a seed")
    parser.add_argument(
        "--output", type=folder, default="diagnosis", help="folder of everything it makes"
    )
    parser.add_argument("--jobs", type=at_least(1), help="rows at a time; default: one a core")
    parser.add_argument("--full", action="store_true", help="every setting of each test's dial")
    parser.add_argument(
        "--controls", action="store_true", help="instead: what each figure says of maps of known failing"
    )
    parser.add_argument("--small", action="store_true", help="few images, one epoch: does it run")
    arguments, overrides = parser.parse_known_args(argv)
    if arguments.controls:
        _refuse_a_module(arguments)
        tell_controls(Path(parser.parse(argv).output), small=arguments.small)
        return 0
    recipe, _ = parse_recipe(overrides, "diagnose")
    _check_only_module(recipe, overrides)
    seeds = seeds_of(arguments.seeds)
    from wsol.pipeline.diagnosis.diagnose import DiagnosisPlan

    attention = dataclasses.replace(recipe.attention, name=arguments.module)
    plan = DiagnosisPlan(
        attention, recipe.method, seeds, arguments.output, full=arguments.full, small=arguments.small
    )
    tell(plan.run(arguments.jobs), Path(arguments.output))
    return 0


def _refuse_a_module(arguments: argparse.Namespace) -> None:
    """``UserError`` where ``--controls`` would leave unsaid what was asked of a module."""
    asked = [arguments.module] * (arguments.module != "none")
    asked += ["--full"] * arguments.full + ["--seeds"] * (arguments.seeds != "0")
    if asked:
        raise UserError(f"diagnose --controls trains no module: leave out {', '.join(asked)}")


def _check_only_module(recipe: Recipe, overrides: list[str]) -> None:
    """``UserError`` where anything but the module and its method is said."""
    rest = dataclasses.replace(recipe, attention=AttentionSettings(), method=MethodSettings())
    if rest != Recipe() or recipe.attention.name != AttentionSettings().name:
        options = ", ".join(word for word in overrides if word.startswith("--"))
        raise UserError(
            f"diagnose {options}: all rows have one network, budget and data set: only the module's and "
            "its method's options can be said (--attention.options.NAME, --attention.at, --method)"
        )


def tell(diagnosis: Diagnosis, output: Path) -> None:
    """Print the profile, and write it as Markdown, CSV and picture."""
    from wsol.files.csv_table import write_csv
    from wsol.files.writing.atomic import write_text
    from wsol.pipeline.diagnosis.picture import draw
    from wsol.pipeline.diagnosis.tables import COLUMNS, figures, markdown

    name = "".join(letter if letter.isalnum() else "-" for letter in diagnosis.module)
    text = markdown(diagnosis)
    print(text)
    print(write_text(output / f"{name}.md", text))
    print(write_csv(output / f"{name}.csv", COLUMNS, figures(diagnosis)))
    print(draw(diagnosis, output / f"{name}.png"))
