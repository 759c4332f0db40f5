"""Which images a run belongs to: the data set it was trained on, and what its networks may score."""

from __future__ import annotations

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.data.splits.few_shot import BOXED
from wsol.data.splits.folds import FOLDED
from wsol.errors import UserError
from wsol.pipeline.inputs import open_manifest
from wsol.pipeline.model import Model


def own_manifest(model: Model) -> Manifest:
    """The data set a run was trained on; ``UserError`` where it has changed, or the model has none."""
    if model.folder is None:
        raise UserError(
            f"{model.name}: a pretrained classifier has no data set of its own; name one with "
            "--manifest, or score your own images with wsol evaluate --images and --annotations"
        )
    manifest = open_manifest(model.recipe)
    if manifest.hash != model.facts["manifest_hash"]:
        raise UserError(
            f"{manifest.folder}: not the manifest that {model.folder.path} was trained on (its hash "
            "differs); name it with --manifest to score the run on another data set"
        )
    return manifest


def check_scores(model: Model, split: ManifestSplit) -> None:
    """``UserError`` where a run has no network that may be scored on ``split``."""
    if model.recipe.training.boxed_images and split.name == BOXED:
        raise UserError(
            f"{model.name}: was trained on images of val with their boxes (training.boxed_images), so "
            "val neither scores it nor chooses its thresholds: score test, thresholds oracle or fixed"
        )
    own = split.name == FOLDED and split.manifest.hash == model.facts.get("manifest_hash")
    if model.recipe.training.folds and not own:
        raise UserError(
            f"{model.name}: cross-fitted (training.folds), so it only scores the {FOLDED} "
            "images it was trained for; for others, or for val, train a run without folds"
        )
