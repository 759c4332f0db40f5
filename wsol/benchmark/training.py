"""The verb ``train``: a recipe to a run folder."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from wsol.benchmark.preparing import open_manifest, resolved
from wsol.benchmark.provenance import git_commit, now, versions
from wsol.models.cost import cost
from wsol.progress import say
from wsol.recipe import Recipe
from wsol.training.device import device_name, launch
from wsol.training.loop import train as run_training
from wsol.training.run_folder import RunFolder, run_name, training_id


def train(recipe: Recipe) -> Path:
    """Train ``recipe`` and return its run folder; a finished run is returned as it is.

    Raises:
        UserError: an unknown name, a missing manifest, weights of another network.
    """
    recipe = resolved(recipe)
    manifest = open_manifest(recipe)
    folder = RunFolder(Path(recipe.how.runs) / run_name(recipe, manifest.hash))
    if folder.finished:
        say(f"{folder.path} is trained already")
        return folder.path
    started = now()
    fabric = launch(recipe.how.device, recipe.training.precision)
    row = f"{recipe.backbone.name}, attention {recipe.attention.label}, seed {recipe.seed}"
    say(f"{row} -> {folder.path}")
    localizer, log = run_training(recipe, manifest, folder, fabric)
    if fabric.is_global_zero:
        facts: dict[str, Any] = {
            "training_id": training_id(recipe, manifest.hash),
            "manifest_hash": manifest.hash,
            "class_keys": localizer.class_keys,
            "default_map": localizer.default_map,
            "cost": cost(localizer, recipe.data.input_size),
            "device": device_name(fabric.device),
            "train_images_per_second": _median([row["images_per_second"] for row in log]),
            "processes": fabric.world_size,
            "versions": versions(),
            "git_commit": git_commit(),
            "started": started,
            "finished": now(),
        }
        folder.write_facts(facts)
    fabric.barrier()
    return folder.path


def _median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None
