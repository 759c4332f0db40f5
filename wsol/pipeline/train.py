"""The verb ``train``: a recipe to a run folder."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.errors import UserError
from wsol.files.locking.lock import Held
from wsol.models.cost import cost
from wsol.models.localizer import Localizer
from wsol.pipeline.fold_networks import Part, training_parts
from wsol.pipeline.inputs import as_recipe, open_manifest, resolved
from wsol.pipeline.outputs.provenance import git_commit, now, versions
from wsol.progress import is_first_rank, say, world_size
from wsol.recipe import Recipe
from wsol.training.device import cpu_kind, device_name, launch, threads
from wsol.training.loop import train as run_training
from wsol.training.run_folder import RunFolder, run_name, training_id
from wsol.training.shown_maps import shown_maps


def train(recipe: Recipe | Path | str) -> Path:
    """Train a recipe and return its run folder; a finished run is returned as it is.

    An interrupted run goes on after its last finished epoch.

    Args:
        recipe: the recipe, or its YAML file.

    Raises:
        UserError: an unknown name, a missing manifest, weights of another network; another process
            trains this run (`wsol.files.locking.lock.Held`).

    Examples:
        >>> import wsol
        >>> run = wsol.train("configs/clutter/cam.yaml")             # doctest: +SKIP
    """
    recipe = resolved(as_recipe(recipe))
    manifest = open_manifest(recipe)
    folder = RunFolder(Path(recipe.how.runs) / run_name(recipe, manifest.hash))
    # Several processes look together, below: a run may be finished between the looks of two.
    if world_size() == 1 and folder.finished:
        return _finished(folder)
    fabric = launch(recipe.how.device, recipe.training.precision)
    with _held(folder, fabric):
        # Looked at again: another process may have finished it before this one got the folder.
        if not fabric.broadcast(folder.finished):
            row = f"{recipe.backbone.name}, attention {recipe.attention.label}, seed {recipe.seed}"
            say(f"{manifest.title}: {row} -> {folder.path}")
            with threads(recipe.how.threads):
                _train(recipe, manifest, folder, fabric)
            fabric.barrier()
            return folder.path
    return _finished(folder)


def _finished(folder: RunFolder) -> Path:
    if is_first_rank():
        folder.check_weights()
        folder.tidy()
    say(f"{folder.path} is trained already")
    return folder.path


@contextmanager
def _held(folder: RunFolder, fabric: Fabric) -> Iterator[None]:
    """The first process, which alone writes, holds the folder; where it may not all raise why."""
    with ExitStack() as stack:
        refused = None
        if fabric.is_global_zero:
            try:
                stack.enter_context(folder.held())
            except Held as error:
                refused = error
            except (UserError, OSError) as error:
                refused = UserError(str(error))  # an error of its own may not travel between processes
        refused = fabric.broadcast(refused)
        if refused is not None:
            raise refused
        yield


def _train(recipe: Recipe, manifest: Manifest, folder: RunFolder, fabric: Fabric) -> None:
    """Train all networks of the run, then write what it is: now it is finished."""
    started = now()
    networks = training_parts(recipe, manifest, folder)
    localizer, rates = _train_each(recipe, networks, fabric)
    if fabric.is_global_zero:
        folder.write_recipe(recipe)
        facts: dict[str, Any] = {
            "training_id": training_id(recipe, manifest.hash),
            "manifest_hash": manifest.hash,
            "class_keys": localizer.class_keys,
            "default_map": localizer.default_map,
            "cost": cost(localizer, recipe.data.input_size),
            "pretrained_sha256": localizer.pretrained_sha256,
            "device": device_name(fabric.device, recipe.how.threads),
            "cpu": cpu_kind() if fabric.device.type == "cpu" else None,
            "threads": recipe.how.threads,
            "train_images_per_second": statistics.median(rates) if rates else None,
            "processes": fabric.world_size,
            "versions": versions(),
            "git_commit": git_commit(),
            "started": started,
            "finished": now(),
        }
        if manifest.drawn:
            facts["drawn"] = manifest.drawn
        if localizer.attention_modules and recipe.training.epochs:
            shown = shown_maps(localizer, _looked_at(manifest, networks[-1]), recipe)
            facts["shown"] = shown._asdict()
            for line in shown.lines():
                say(line)
        folder.write_facts(facts)
        folder.tidy()


def _looked_at(manifest: Manifest, last: Part) -> ManifestSplit:
    """Images of val; where there is none, of the training."""
    return manifest.split("val") if "val" in manifest.splits else last.images


def _train_each(recipe: Recipe, networks: list[Part], fabric: Fabric) -> tuple[Localizer, list[float]]:
    """Train the networks one after the other: the last of them, and images a second of every epoch."""
    rates: list[float] = []
    for number, part in enumerate(networks, start=1):
        if len(networks) > 1:
            say(f"fold {number} of {len(networks)}: {len(part.images)} training images")
        localizer, log = run_training(recipe, part.images, part.folder, fabric)
        rates += [epoch["images_per_second"] for epoch in log]
    return localizer, rates
