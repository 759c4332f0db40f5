"""Classification and, where val has boxes, localization accuracy of a model in training."""

from __future__ import annotations

from wsol.data.loading.loader import eval_loader
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.queries import scored_split
from wsol.data.splits.few_shot import few_shot
from wsol.errors import UserError
from wsol.evaluation.evaluator import evaluate
from wsol.maps.reading import MapReader
from wsol.models.localizer import Localizer
from wsol.recipe import Recipe
from wsol.scores.protocol import protocol_named

# Choosing a checkpoint needs no finer threshold grid than this.
STEP = 0.01


def validate(localizer: Localizer, manifest: Manifest, recipe: Recipe) -> dict[str, float]:
    """``{"val_cls": top-1 accuracy, "val_loc": GT-known Loc}`` in percent on the val split.

    Where val is scored by queries, ``val_cls`` is top-1 within the classes present in an image.
    ``val_loc`` is there where val has boxes, read from the recipe's first map source. Images of val that
    are trained on with their boxes are left out. Every rank computes the whole: val is small, and all
    have to agree.
    """
    if "val" not in manifest.splits:
        raise UserError(f"{manifest.folder}: no val split; training.selection must be last")
    shots = recipe.training.boxed_images
    split = few_shot(manifest, shots).chosen_on if shots else scored_split(manifest, "val")
    training = localizer.training
    scores = evaluate(
        MapReader(localizer, split.class_keys, images=split).predictions(
            eval_loader(split, recipe), recipe.evaluation.maps[0]
        ),
        split.annotations(),
        protocol_named(recipe.evaluation.protocol, STEP),
        intervals=False,
    )
    localizer.train(training)
    keys = {"val_cls": "top1_within" if manifest.queries else "top1_acc", "val_loc": "gt_known_loc@0.5"}
    found = {name: scores[key] for name, key in keys.items()}
    return {name: round(value, 2) for name, value in found.items() if value is not None}
