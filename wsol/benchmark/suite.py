"""The verb ``benchmark``: recipes times seeds, one record each, doing only what is missing."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from wsol.benchmark.baseline import score_baselines
from wsol.benchmark.scoring import score_run
from wsol.benchmark.training import train
from wsol.recipe import Recipe


def benchmark(recipes: Sequence[Recipe], seeds: Sequence[int], overlays: int = 0) -> None:
    """Train and score; every data set gets its centred-box row beside.

    Interrupted, it goes on where it stopped: a finished epoch, run or record is not made again.
    """
    for recipe in recipes:
        score_baselines(recipe, overlays=overlays)
        for seed in seeds:
            run = train(dataclasses.replace(recipe, seed=seed))
            score_run(run, recipe.evaluation, recipe.how, results=recipe.how.results, overlays=overlays)
