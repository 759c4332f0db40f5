"""The verb ``benchmark``: recipes times seeds, one record each, doing only what is missing."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from wsol.maps.reading import resolve
from wsol.methods.build import trained_localizer
from wsol.pipeline.baselines import evaluate_baselines
from wsol.pipeline.evaluate_run import evaluate_run
from wsol.pipeline.inputs import as_recipe, open_manifest, resolved
from wsol.pipeline.model import Model
from wsol.pipeline.outputs.publish import MapsOrigin, Outputs, find_record, identity
from wsol.pipeline.train import train
from wsol.progress import say
from wsol.recipe import Recipe
from wsol.scores.protocol import protocol_named


def benchmark(
    recipes: Sequence[Recipe | Path | str] | Recipe | Path | str,
    seeds: Sequence[int] = (0,),
    overlays: int = 0,
) -> None:
    """Train and score; every data set gets its centred-box row beside.

    Interrupted, it goes on where it stopped: a finished epoch, run or record is not made again. Where
    all records of a row are there its run need not be: nothing is trained for them. Records go to the
    folder that each recipe names, ``how.results``.

    Args:
        recipes: recipes, or their YAML files; one or several.
        seeds: each recipe is trained once a seed.
        overlays: how many images the report shows of each row.

    Examples:
        >>> import wsol
        >>> wsol.benchmark(["configs/clutter/cam.yaml"], seeds=[0, 1, 2])        # doctest: +SKIP
        >>> wsol.leaderboard("results", write=True)                             # doctest: +SKIP
    """
    if isinstance(recipes, str | Path | Recipe):
        recipes = [recipes]
    for recipe in map(as_recipe, recipes):
        evaluate_baselines(recipe, overlays=overlays)
        for seed in seeds:
            row = dataclasses.replace(recipe, seed=seed)
            if recorded(row):
                label = f"{row.backbone.name}, attention {row.attention.label}, seed {seed}"
                say(f"{label}: all its records are in {row.how.results}")
                continue
            # By this very recipe: what the folder's own names is not looked at.
            model = Model.open(train(row), recipe=resolved(row))
            outputs = Outputs(results=row.how.results, overlays=overlays)
            evaluate_run(model, row.evaluation, outputs=outputs)


def recorded(recipe: Recipe) -> bool:
    """Whether each map source of ``recipe`` has its record; known without the run."""
    recipe = resolved(recipe)
    manifest = open_manifest(recipe)
    settings = recipe.evaluation
    protocol = protocol_named(settings.protocol, settings.step)
    policy = protocol.policy_named(settings.thresholds)
    split = manifest.split(settings.split)
    sources = list(settings.maps)
    if "attention" in sources:  # which of its maps that is, the module says
        keys = manifest.class_keys
        localizer = trained_localizer(recipe, keys)
        sources = [resolve(source, localizer) for source in sources]
    origins = [MapsOrigin(name="", what=recipe.what(), maps=source) for source in sources]
    return all(
        find_record(recipe.how.results, identity(origin, split, protocol, policy)) for origin in origins
    )
