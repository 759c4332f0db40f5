"""The networks of a run, and the images each is trained on or scored on: one network, or one a fold."""

from __future__ import annotations

from dataclasses import dataclass

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.data.splits.folds import Fold, folds
from wsol.errors import UserError
from wsol.recipe import Recipe
from wsol.training.run_folder import RunFolder


@dataclass(frozen=True)
class Part:
    """One network, by where its weights lie, and images for it."""

    folder: RunFolder
    images: ManifestSplit


def training_parts(recipe: Recipe, manifest: Manifest, folder: RunFolder) -> list[Part]:
    """The networks that ``recipe`` trains; without epochs there is one, its weights as they come."""
    training = recipe.training
    if training.folds and not training.epochs:
        raise UserError("training.folds trains a network a fold: training.epochs must be 1 or more")
    if training.folds:
        return [Part(place, fold.training) for place, fold in _folds(recipe, manifest, folder)]
    return [Part(folder, manifest.split("train" if training.epochs else recipe.evaluation.split))]


def scoring_parts(recipe: Recipe, split: ManifestSplit, folder: RunFolder) -> list[Part]:
    """``split`` of a cross-fitted run as its networks share it: none was trained on its own images."""
    return [Part(place, fold.held_out) for place, fold in _folds(recipe, split.manifest, folder)]


def _folds(recipe: Recipe, manifest: Manifest, folder: RunFolder) -> list[tuple[RunFolder, Fold]]:
    cut = folds(manifest, recipe.training.folds)
    return [(folder.fold(number), fold) for number, fold in enumerate(cut)]
