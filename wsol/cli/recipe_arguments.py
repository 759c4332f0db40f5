"""A recipe from ``--config`` files and dotted overrides, read in one pass over the command line."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from wsol.cli.recipe_help import help_text
from wsol.cli.recipe_values import is_list, is_mapping, read_value
from wsol.errors import UserError, suggest
from wsol.recipe import PARTS, Recipe
from wsol.recipe.checking import (
    CheckedSettings,
    Origin,
    build,
    check_field,
    check_mapping,
    dotted,
    field_hints,
)
from wsol.recipe.yaml_file import read_yaml

# `--attention rfga` is short for `--attention.name rfga`; for weights the file is what one names.
# Threads are asked for more often than recipes are written.
SHORT = {
    **{part: f"{part}.name" for part in ("data", "backbone", "attention", "head", "method")},
    "weights": "weights.file",
    "threads": "how.threads",
}
SAID = Origin("command line", "line")


@dataclass(frozen=True)
class CommandOption:
    """An option of a command's own, beside the recipe's keys.

    Attributes:
        name: without its dashes.
        purpose: for the help.
        default: what it is where it is not given.
        read: turns its text into its value; `argparse.ArgumentTypeError` where it cannot.
    """

    name: str
    purpose: str
    default: Any = None
    read: Callable[[str], Any] = str


def parse_recipe(
    argv: Sequence[str],
    command: str,
    options: Sequence[CommandOption] = (),
    short: Mapping[str, str] | None = None,
) -> tuple[Recipe, dict[str, Any]]:
    """The recipe of ``argv``, and the values of the command's own options.

    ``short`` are names of keys that this command knows besides `SHORT`: ``split`` for
    ``evaluation.split``. Later overrides earlier: defaults, then each ``--config FILE`` and
    ``--key value`` in their order.
    ``--help`` and ``--print_config`` print and leave with `SystemExit`.

    Raises:
        UserError: one line that names the file or the command line, the key, and the near name.
    """
    own = {option.name: option for option in options}
    given = {option.name: option.default for option in options}
    recipe = _RecipeBeingRead(f"wsol {command} --help", list(own), SHORT | dict(short or {}))
    printed = False
    for name, text in _pairs(argv, flags=("help", "print_config")):
        if name == "help":
            print(help_text(command, {option.name: option.purpose for option in options}))
            sys.exit(0)
        elif name == "print_config":
            printed = True
        elif name == "config":
            recipe.add_file(text)
        elif name in own:
            given[name] = _own_value(own[name], text)
        else:
            recipe.override(name, text)
    built = build(Recipe, recipe.values)
    if printed:
        print(built.to_yaml(), end="")
        sys.exit(0)
    return built, given


def recipe_keys() -> list[str]:
    """Every dotted key of a recipe."""
    return list(_fields())


def _fields() -> dict[str, tuple[type[CheckedSettings], str]]:
    """Dotted key to the class that has it and the field's name."""
    fields = [(cls, name) for cls in (*PARTS.values(), Recipe) for name in field_hints(cls)]
    return {dotted(cls, name): (cls, name) for cls, name in fields if name not in PARTS}


def _pairs(argv: Sequence[str], flags: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options and their texts: ``--key value`` or ``--key=value``; a flag has none."""
    words = iter(argv)
    for word in words:
        if word == "-h":
            word = "--help"
        if not word.startswith("--"):
            raise UserError(f"command line: unexpected {word!r}: a key is written --key value")
        name, equals, text = word[2:].partition("=")
        if not equals and name not in flags:
            text = next(words, None)
            # What begins with one dash may be a negative number.
            if text is None or text.startswith("--"):
                raise UserError(f"command line: --{name} needs a value")
        yield name, text


def _own_value(option: CommandOption, text: str) -> Any:
    try:
        return option.read(text)
    except ArgumentTypeError as error:
        raise UserError(f"command line: --{option.name}: {error}") from None


class _RecipeBeingRead:
    """The values given so far, checked, nested as in a recipe file."""

    def __init__(self, help_command: str, own: Sequence[str], short: Mapping[str, str]) -> None:
        self.values: dict[str, Any] = {}
        self._fields = _fields()
        self._own = own
        self._short = short
        self._help_command = help_command

    def add_file(self, path: str) -> None:
        """Everything that a recipe file says."""
        for key, value in check_mapping(Recipe, read_yaml(path), Origin(path, "file")).items():
            if key in PARTS:
                self.values.setdefault(key, {}).update(value)
            else:
                self.values[key] = value

    def override(self, name: str, text: str) -> None:
        """One key (``seed``), an item of a mapping (``attention.options.k``), a longer list (``+``)."""
        key, below = self._key(name.removesuffix("+"), name)
        cls, field = self._fields[key]
        hint = field_hints(cls)[field]
        if below:
            value = _with_item(self._current(cls, field), below, text, get_args(hint)[1], name)
        else:
            value = read_value(text, hint, key)
        if name.endswith("+"):
            if below or not is_list(hint):
                raise UserError(f"command line: --{name}: only a list grows; write --{name[:-1]}")
            value = [*self._current(cls, field), *check_field(cls, field, value, SAID)]
        values = self.values.setdefault(cls.part, {}) if cls.part else self.values
        values[field] = check_field(cls, field, value, SAID)

    def _current(self, cls: type[CheckedSettings], field: str) -> Any:
        return self.values.get(cls.part, {}).get(field, getattr(cls(), field))

    def _key(self, name: str, said: str) -> tuple[str, str]:
        """The recipe's key, and what the option names below it where the key is a mapping."""
        name = self._short.get(name, name)
        if name in self._fields:
            return name, ""
        part, _, rest = name.partition(".")
        field, _, below = rest.partition(".")
        key = f"{part}.{field}"
        if below and key in self._fields and is_mapping(field_hints(PARTS[part])[field]):
            return key, below
        raise UserError(f"command line: unknown option '--{said}'{self._near(name)}")

    def _near(self, name: str) -> str:
        """Which options may be meant: those that end alike (``--epochs``), else those spelled alike."""
        ending = [key for key in self._fields if key.rpartition(".")[2] == name.rpartition(".")[2]]
        if 1 <= len(ending) <= 3:
            return ": did you mean " + " or ".join(f"'--{key}'" for key in ending) + "?"
        known = [*self._fields, *self._short, *self._own, "config", "print_config", "help"]
        return suggest(f"--{name}", [f"--{key}" for key in known], f"see {self._help_command}")


def _with_item(
    current: Mapping[str, Any], below: str, text: str, hint: Any, said: str
) -> dict[str, Any]:
    """A mapping with the item ``below`` anew; of a class's options it may lie deeper (``a.b``)."""
    first, _, rest = below.partition(".")
    if rest and hint is Any:
        inner = current.get(first)
        inner = inner if isinstance(inner, Mapping) else {}
        return {**current, first: _with_item(inner, rest, text, hint, said)}
    return {**current, below: read_value(text, hint, said)}
