"""The verb ``train``: a recipe to a run folder."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from wsol.data.manifest.manifest import Manifest
from wsol.models.cost import cost
from wsol.models.localizer import Localizer
from wsol.pipeline.fold_networks import Part, training_parts
from wsol.pipeline.inputs import as_recipe, open_manifest, resolved
from wsol.pipeline.outputs.provenance import git_commit, now, versions
from wsol.progress import say
from wsol.recipe import Recipe
from wsol.training.device import device_name, launch, threads
from wsol.training.loop import train as run_training
from wsol.training.run_folder import RunFolder, run_name, training_id


def train(recipe: Recipe | Path | str) -> Path:
    """Train a recipe and return its run folder; a finished run is returned as it is.

    An interrupted run goes on after its last finished epoch.

    Args:
        recipe: the recipe, or its YAML file.

    Raises:
        UserError: an unknown name, a missing manifest, weights of another network.

    Examples:
        >>> import wsol
        >>> run = wsol.train("configs/clutter/cam.yaml")             # doctest: +SKIP
    """
    recipe = resolved(as_recipe(recipe))
    manifest = open_manifest(recipe)
    folder = RunFolder(Path(recipe.how.runs) / run_name(recipe, manifest.hash))
    if folder.finished:
        say(f"{folder.path} is trained already")
        return folder.path
    fabric = launch(recipe.how.device, recipe.training.precision)
    row = f"{recipe.backbone.name}, attention {recipe.attention.label}, seed {recipe.seed}"
    say(f"{row} -> {folder.path}")
    with threads(recipe.how.threads):
        _train(recipe, manifest, folder, fabric)
    fabric.barrier()
    return folder.path


def _train(recipe: Recipe, manifest: Manifest, folder: RunFolder, fabric: Fabric) -> None:
    """Train all networks of the run, then write what it is: now it is finished."""
    started = now()
    networks = training_parts(recipe, manifest, folder)
    localizer, rates = _train_each(recipe, networks, fabric)
    if fabric.is_global_zero:
        recipe.write(folder.path / "recipe.yaml")
        facts: dict[str, Any] = {
            "training_id": training_id(recipe, manifest.hash),
            "manifest_hash": manifest.hash,
            "class_keys": localizer.class_keys,
            "default_map": localizer.default_map,
            "cost": cost(localizer, recipe.data.input_size),
            "pretrained_sha256": localizer.pretrained_sha256,
            "device": device_name(fabric.device, recipe.how.threads),
            "threads": recipe.how.threads,
            "train_images_per_second": statistics.median(rates) if rates else None,
            "processes": fabric.world_size,
            "versions": versions(),
            "git_commit": git_commit(),
            "started": started,
            "finished": now(),
        }
        folder.write_facts(facts)
        for part in networks:
            part.folder.forget_progress()


def _train_each(recipe: Recipe, networks: list[Part], fabric: Fabric) -> tuple[Localizer, list[float]]:
    """Train the networks one after the other: the last of them, and images a second of every epoch."""
    rates: list[float] = []
    for number, part in enumerate(networks, start=1):
        if len(networks) > 1:
            say(f"fold {number} of {len(networks)}: {len(part.images)} training images")
        localizer, log = run_training(recipe, part.images, part.folder, fabric)
        rates += [epoch["images_per_second"] for epoch in log]
    return localizer, rates
