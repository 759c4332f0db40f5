"""``--classes``: which of the model's classes stand for those of the data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from wsol.cli.recipe_values import read_value
from wsol.data.annotations.class_map import read_class_map
from wsol.errors import UserError
from wsol.recipe import EvaluationSettings
from wsol.recipe.checking import field_hints

HELP = (
    "which of the model's classes, by key or name, stand for the data set's: a CSV table of "
    "CLASS,MODEL_CLASS, or '{Horse: [n02389026]}'; the others are matched by key and name"
)


def classes_of(text: str) -> Mapping[str, Sequence[str]]:
    """What the option says: a table, or a mapping as YAML."""
    if text.lstrip().startswith("{"):
        given = read_value(text, field_hints(EvaluationSettings)["classes"], "--classes")
        return {name: [own] if isinstance(own, str) else own for name, own in given.items()}
    try:
        return read_class_map(Path(text))
    except UserError as error:
        form = "give a CSV table CLASS,MODEL_CLASS, or '{Horse: [n02389026]}'"
        raise UserError(
            f"--classes {error}" + (f"; {form}" if not Path(text).exists() else "")
        ) from None
