"""The verb ``benchmark``: recipes times seeds, one record each, doing only what is missing."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from wsol.maps.readers import resolve
from wsol.models.factory import build_localizer
from wsol.pipeline.baselines import score_baselines
from wsol.pipeline.evaluate_run import score_run
from wsol.pipeline.inputs import open_manifest, resolved
from wsol.pipeline.publish import Subject, find_record, identity
from wsol.pipeline.train import train
from wsol.progress import say
from wsol.recipe import Recipe
from wsol.scores.protocol import protocol_named


def benchmark(recipes: Sequence[Recipe], seeds: Sequence[int], overlays: int = 0) -> None:
    """Train and score; every data set gets its centred-box row beside.

    Interrupted, it goes on where it stopped: a finished epoch, run or record is not made again. Where
    all records of a row are there its run need not be: nothing is trained for them.
    """
    for recipe in recipes:
        score_baselines(recipe, overlays=overlays)
        for seed in seeds:
            row = dataclasses.replace(recipe, seed=seed)
            if recorded(row):
                label = f"{row.backbone.name}, attention {row.attention.label}, seed {seed}"
                say(f"{label}: all its records are in {row.how.results}")
                continue
            score_run(train(row), row.evaluation, row.how, results=row.how.results, overlays=overlays)


def recorded(recipe: Recipe) -> bool:
    """Whether each map source of ``recipe`` has its record; known without the run."""
    recipe = resolved(recipe)
    manifest = open_manifest(recipe)
    settings = recipe.evaluation
    rules = protocol_named(settings.protocol, settings.step)
    policy = rules.policy_named(settings.thresholds)
    split = manifest.split(settings.split)
    sources = list(settings.maps)
    if "attention" in sources:  # which of its maps that is, the module says
        keys = manifest.class_keys
        localizer = build_localizer(recipe, len(keys), keys, load_weights=False)
        sources = [resolve(source, localizer) for source in sources]
    subjects = [Subject(name="", what=recipe.what(), maps=source) for source in sources]
    return all(
        find_record(recipe.how.results, identity(subject, split, rules, policy)) for subject in subjects
    )
