"""The training loop: from a recipe to a trained localizer, epoch after epoch."""

from __future__ import annotations

from typing import Any

import torch
from lightning_fabric import Fabric

from wsol.data.manifest.manifest import ManifestSplit
from wsol.errors import UserError
from wsol.maps.reading import check_sources
from wsol.methods.build import build_method
from wsol.methods.contract import TrainingMethod
from wsol.models.cost import cost
from wsol.models.factory import build_localizer
from wsol.models.localizer import Localizer
from wsol.recipe import Recipe
from wsol.training.cacheable import refuse_uncacheable
from wsol.training.freezing import freeze
from wsol.training.kept_features import keep_features
from wsol.training.optimizer import rate_factor
from wsol.training.run_folder import SELECTIONS, RunFolder
from wsol.training.training_state import TrainingState


def train(
    recipe: Recipe, split: ManifestSplit, folder: RunFolder, fabric: Fabric
) -> tuple[Localizer, list[dict[str, Any]]]:
    """Train ``recipe`` on the images of ``split``: the localizer as it is scored, and the log.

    A run that was interrupted goes on after its last finished epoch, with the result it would have
    had. ``epochs: 0`` keeps the weights as they were loaded.
    """
    if recipe.training.selection not in SELECTIONS:
        raise UserError(f"training.selection is {recipe.training.selection!r}: {', '.join(SELECTIONS)}")
    torch.manual_seed(recipe.seed)
    localizer = build_localizer(recipe, len(split.class_keys), split.class_keys)
    method = build_method(recipe, localizer)
    refuse_uncacheable(recipe, method)
    # What is read and measured of the trained network is tried now, not after the last epoch.
    manifest, scored = split.manifest, recipe.evaluation.split
    images = manifest.split(scored) if scored in manifest.splits else split
    check_sources(method.trained(), recipe.evaluation.maps, images)
    cost(method.trained(), recipe.data.input_size)
    if recipe.training.channels_last:
        method.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if not recipe.training.epochs:
        return _as_they_are(recipe, folder, fabric, method), []
    # Parameters that are declared to get no gradient are frozen. DDP would wait for their gradients; and
    # where gradients cancel only up to rounding, AdamW would turn what is left into full-sized updates.
    for name in localizer.parameters_without_gradient():
        localizer.get_parameter(name).requires_grad_(False)
    freeze(recipe, method)
    progress = TrainingState(recipe, split, folder, fabric, method)
    rate_factor(recipe.training, 0)  # an unknown schedule is refused before anything is written
    if fabric.is_global_zero:
        folder.write_recipe(recipe)
    first = progress.start()
    if recipe.training.cache_features and first < recipe.training.epochs:
        progress.kept = keep_features(recipe, split, folder.run.path.parent, fabric, method)
    for epoch in range(first, recipe.training.epochs):
        result = progress.run_epoch(epoch)
        progress.finish_epoch(epoch, result)
    return progress.finish_training(), progress.log


def _as_they_are(recipe: Recipe, folder: RunFolder, fabric: Fabric, method: TrainingMethod) -> Localizer:
    """The localizer with the weights it was given, written as a trained one would be."""
    drawn = method.localizer.as_drawn
    if drawn:
        raise UserError(
            f"training.epochs is 0, but no weights fill {len(drawn)} parameters, e.g. {drawn[-1]}: use "
            "head.name native and weights of this very network and its classes, or train it"
        )
    if method.fits_after_training:
        raise UserError(
            f"training.epochs is 0, but method {recipe.method.name} fits its localizer after training: "
            "train an epoch or more, or use method.name cam"
        )
    if fabric.is_global_zero:
        folder.write_recipe(recipe)
        folder.save_weights(method.trained(), "last")
    return method.trained()
