"""A recipe from ``--config`` YAML and dotted overrides, through jsonargparse."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from wsol.errors import UserError, suggest
from wsol.recipe import PARTS, Recipe

# `--attention rfga` is short for `--attention.name rfga`; for weights the file is what one names.
SHORT = {"data": "name", "backbone": "name", "attention": "name", "head": "name", "method": "name"} | {
    "weights": "file"
}
LISTS = ("attention.at", "evaluation.maps", "training.milestones")
# Keys below these are the user's own: options of a class, strides of a stage.
OPEN = (
    *("backbone.strides", "backbone.options", "attention.options", "method.options"),
    "evaluation.classes",
)


def parse_recipe(argv: Sequence[str], command: str, extra: Any = None) -> tuple[Recipe, Any]:
    """The recipe of ``argv``, and the namespace of the arguments that ``extra(parser)`` adds.

    Later overrides earlier: defaults, then ``--config``, then each ``--key value`` in order.
    """
    # Imported here: `wsol --help` should not wait for it.
    from jsonargparse import ArgumentError, ArgumentParser

    parser = ArgumentParser(prog=f"wsol {command}", exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--config", action="config", help="recipe YAML; later options override it")
    parser.add_class_arguments(Recipe, None)
    own: list[str] = []
    if extra is not None:
        own = extra(parser)
    argv = _bracketed([_spelled_out(argument) for argument in argv])
    _check_keys(argv, own)
    _check_configs(argv)
    try:
        parsed = parser.parse_args(argv).as_dict()
    except (ArgumentError, TypeError, ValueError) as error:
        raise UserError(_one_line(error)) from None
    parsed.pop("config", None)
    rest = {name: parsed.pop(name) for name in own}
    return Recipe.from_dict(parsed, "command line"), rest


def recipe_keys() -> list[str]:
    """Every dotted key of a recipe."""
    keys = []
    for item in dataclasses.fields(Recipe):
        part = PARTS.get(item.name)
        below = (
            [f"{item.name}.{field.name}" for field in dataclasses.fields(part)] if part else [item.name]
        )
        keys.extend(below)
    return keys


def _spelled_out(argument: str) -> str:
    name, equals, value = argument.removeprefix("--").partition("=")
    if argument.startswith("--") and name in SHORT:
        return f"--{name}.{SHORT[name]}{equals}{value}"
    return argument


def _bracketed(argv: Sequence[str]) -> list[str]:
    """``--attention.at stage4`` as ``--attention.at [stage4]``: a list may be given bare, by commas."""
    spelled: list[str] = []
    for argument in argv:
        name, equals, value = argument.partition("=")
        if equals and name.removeprefix("--") in LISTS and not value.startswith("["):
            argument = f"{name}=[{value}]"
        elif (
            spelled and spelled[-1].removeprefix("--") in LISTS and not argument.startswith(("[", "--"))
        ):
            argument = f"[{argument}]"
        spelled.append(argument)
    return spelled


def _check_keys(argv: Sequence[str], own: Sequence[str]) -> None:
    """Near names for an unknown option; jsonargparse would guess at abbreviations."""
    known = [*recipe_keys(), *SHORT, *own, "config", "print_config", "help"]
    for argument in argv:
        if not argument.startswith("--"):
            continue
        # A list is grown by `--key+ value`.
        key = argument[2:].partition("=")[0].removesuffix("+")
        if key not in known and not key.startswith(tuple(f"{prefix}." for prefix in OPEN)):
            raise UserError(f"unknown option '--{key}'{suggest(key, known)}")


def _check_configs(argv: Sequence[str]) -> None:
    """Read each ``--config`` with the recipe's own checks first: they name file and near key."""
    for index, argument in enumerate(argv):
        if argument == "--config" and index + 1 < len(argv):
            Recipe.from_yaml(argv[index + 1])
        elif argument.startswith("--config="):
            Recipe.from_yaml(argument.partition("=")[2])


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
