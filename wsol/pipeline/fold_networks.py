"""The networks of a run, and the images each is trained on or scored on: one network, or one a fold."""

from __future__ import annotations

from dataclasses import dataclass

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.data.splits.few_shot import few_shot
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
    if training.boxed_images:
        return [Part(folder, _boxed(recipe, manifest))]
    if training.folds:
        return [Part(place, fold.training) for place, fold in _folds(recipe, manifest, folder)]
    return [Part(folder, manifest.split("train" if training.epochs else recipe.evaluation.split))]


def _boxed(recipe: Recipe, manifest: Manifest) -> ManifestSplit:
    """The images of val that a bound is trained on; ``UserError`` where they would be judged by too."""
    training, policy = recipe.training, recipe.evaluation.thresholds
    if not training.epochs or training.folds:
        raise UserError("training.boxed_images trains one network: epochs must be 1 or more, folds 0")
    if recipe.evaluation.split == "val" or policy == "val":
        raise UserError(
            "training.boxed_images trains on images of val: score test, with evaluation.thresholds "
            "oracle or fixed"
        )
    return few_shot(manifest, training.boxed_images).fitted


def scoring_parts(recipe: Recipe, split: ManifestSplit, folder: RunFolder) -> list[Part]:
    """``split`` of a cross-fitted run as its networks share it: none was trained on its own images."""
    return [Part(place, fold.held_out) for place, fold in _folds(recipe, split.manifest, folder)]


def _folds(recipe: Recipe, manifest: Manifest, folder: RunFolder) -> list[tuple[RunFolder, Fold]]:
    cut = folds(manifest, recipe.training.folds)
    return [(folder.fold(number), fold) for number, fold in enumerate(cut)]
