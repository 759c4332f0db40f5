"""Images as the vectors that a run's classifier sees of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from wsol.data.loading.loader import eval_loader
from wsol.data.manifest.manifest import ManifestSplit
from wsol.errors import UserError, suggest
from wsol.pipeline.model import Model
from wsol.progress import track
from wsol.training.device import threads

# What a vector is made of.
FEATURES = {
    "attended": "what the classifier gets: attended vectors (LTPA), a class token, or a global average",
    "pooled": "the global average of the last features after attention",
}


class Vectors(NamedTuple):
    """Vectors (N, D) float32 of images, and their labels (N,)."""

    values: np.ndarray
    labels: np.ndarray


def vectors(model: Model, split: ManifestSplit, features: str, what: str) -> Vectors:
    """Those of the images that have a label; ``what`` names them in a progress bar.

    ``UserError`` for an unknown kind of ``features``, a cross-fitted run, or a split without labels.
    """
    if features not in FEATURES:
        raise UserError(f"unknown features {features!r}{suggest(features, FEATURES)}")
    if model.recipe.training.folds:
        raise UserError(f"{model.name}: cross-fitted (training.folds): it has a network a fold, not one")
    split = split.where(split.labels >= 0)
    if not len(split):
        raise UserError(f"{split.manifest.folder}: no image of split {split.name!r} has a label")
    localizer = model.localizer
    loader = eval_loader(split, model.recipe)
    found = []
    with threads(model.threads), torch.inference_mode():
        for batch in track(loader, len(loader), what):
            images = batch.images.to(model.fabric.device)
            if features == "attended":
                read = localizer.attended_vectors(images)
            else:
                read = localizer.last_features(images).mean(dim=(2, 3))
            found.append(read[: batch.real].float().cpu().numpy())
    return Vectors(np.concatenate(found), split.labels)
