"""``wsol train``: train one recipe."""

from __future__ import annotations

from wsol.cli.recipe_arguments import parse_recipe
from wsol.errors import UserError


def main(argv: list[str]) -> int:
    """Train the recipe of ``--config`` and overrides; prints the run's folder."""
    if not argv:
        raise UserError("train needs a recipe: --config FILE (configs/digits/cam.yaml), or keys of one")
    recipe, _ = parse_recipe(argv, "train")
    from wsol.pipeline.train import train

    print(train(recipe))
    return 0
