"""Code from outside the suite that a recipe names: opening a run that names some would run it.

A name that was typed, or stands in a recipe file that was given, is the caller's own choice. A run
folder may come from anybody: of the names in its recipe only those that the caller trusts are imported.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from wsol.attention import ATTENTION
from wsol.errors import UserError
from wsol.maps import is_foreign
from wsol.methods import METHODS
from wsol.recipe import Recipe
from wsol.scores.protocol import PROTOCOLS

# Not by the keys: these are no options that somebody typed.
CALLED = {
    "attention.name": "attention",
    "method.name": "method",
    "evaluation.protocol": "protocol",
    "evaluation.maps": "maps",
}


def foreign_names(recipe: Recipe) -> list[tuple[str, str]]:
    """The keys of a recipe that name code from outside the suite, and the names; imports nothing."""
    names = [
        ("attention.name", recipe.attention.name, ATTENTION.is_foreign),
        ("method.name", recipe.method.name, METHODS.is_foreign),
        ("evaluation.protocol", recipe.evaluation.protocol, PROTOCOLS.is_foreign),
        *(("evaluation.maps", source, is_foreign) for source in recipe.evaluation.maps),
    ]
    return [(key, name) for key, name, foreign in names if foreign(name)]


def check_trusted(recipe: Recipe, source: Path, trust: bool | Collection[str]) -> None:
    """``UserError`` where the run folder ``source`` names code from outside that is not trusted.

    ``trust``: True takes every name, False none; else those that the caller has given itself.
    """
    if trust is True:
        return
    given = trust or ()
    said = [f"{CALLED[key]} {name}" for key, name in foreign_names(recipe) if name not in given]
    if said:
        raise UserError(
            f"{source}: its recipe names code from outside wsol ({', '.join(said)}), which opening the "
            "run would execute; if you trust it give --trust, in Python wsol.load(RUN, trust=True)"
        )
