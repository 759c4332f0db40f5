"""Folds of the test split, for data sets without a train split: each image is held out in one fold.

All copies of a picture lie in the same fold; otherwise a network would be scored on images that it was
trained on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.data.splits.duplicates import content_groups
from wsol.data.splits.held_out_val import draw
from wsol.errors import UserError

FOLDED = "test"


@dataclass(frozen=True)
class Fold:
    """The images one network is trained on, and those it is scored on; no picture is in both."""

    training: ManifestSplit
    held_out: ManifestSplit


def folds(manifest: Manifest, count: int) -> list[Fold]:
    """Cut the test split into ``count`` folds of near equal size and class shares; decodes every image.

    Raises:
        UserError: the data set has a train split, is scored by queries, or has fewer different pictures
            than folds.
    """
    if manifest.queries:
        raise UserError(
            f"{manifest.folder}: is scored by queries, which cannot be trained on: no training.folds"
        )
    if "train" in manifest.splits:
        raise UserError(
            f"{manifest.folder}: has a train split; training.folds is for data sets without one"
        )
    split = manifest.split(FOLDED)
    numbers = fold_numbers(split.image_ids, split.labels, content_groups(split), count)
    return [
        Fold(split.where(numbers != number), split.where(numbers == number)) for number in range(count)
    ]


def fold_numbers(image_ids: list[str], labels: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """(n,) int64 fold of each image, in ``range(count)``: images of one group share theirs.

    Class by class the groups are dealt out in an order drawn from the split seed and the first image's
    id, so the folds depend neither on the listing's order nor on the training seed.

    Args:
        image_ids: n ids; ``labels`` (n,) their classes; ``groups`` (n,) `content_groups`.
        count: how many folds, 2 or more.
    """
    firsts: dict[int, int] = {}
    for place in sorted(range(len(image_ids)), key=lambda place: image_ids[place]):
        firsts.setdefault(int(groups[place]), place)
    if not 2 <= count <= len(firsts):
        raise UserError(
            f"training.folds is {count}: from 2 to {len(firsts)}, the number of different pictures"
        )
    dealt = sorted(
        firsts, key=lambda group: (labels[firsts[group]], draw("fold", image_ids[firsts[group]]))
    )
    fold_of = {group: position % count for position, group in enumerate(dealt)}
    return np.array([fold_of[int(group)] for group in groups], np.int64)
