"""The boxed images of val in two parts: those that few-shot full supervision is fitted on, and the rest.

On the rest everything is chosen; so no image both teaches the network and judges it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.data.splits.held_out_val import smallest_per_class
from wsol.errors import UserError

BOXED = "val"


class FewShot(NamedTuple):
    """The images of val that are trained on with their boxes, and those that are chosen on."""

    fitted: ManifestSplit
    chosen_on: ManifestSplit


def few_shot(manifest: Manifest, images_per_class: int) -> FewShot:
    """Cut val: so many boxed images a class are fitted on, whichever the split seed draws.

    Raises:
        UserError: no val, or a class of it that has no boxed image more than that.
    """
    key = f"training.boxed_images is {images_per_class}"
    if BOXED not in manifest.splits or manifest.queries:
        raise UserError(f"{manifest.folder}: {key}, but there is no val split of images with boxes")
    split = manifest.split(BOXED)
    has_box = np.array([row in manifest.box_index for row in split.rows.tolist()], bool)
    boxed = split.where(has_box & (split.labels >= 0))  # what has no label shows no class
    there = np.bincount(boxed.labels, minlength=len(split.classes))
    labels = np.unique(split.labels[split.labels >= 0])
    if not len(labels):
        raise UserError(f"{manifest.folder}: {key}, but no image of val has a label")
    least = labels[np.argmin(there[labels])]
    if there[least] <= images_per_class:
        raise UserError(
            f"{manifest.folder}: {key}, and class {split.classes[least]} has {there[least]} boxed "
            f"images in val, one of which is needed to choose by: {max(there[least] - 1, 0)} at most"
        )
    pairs = zip(boxed.image_ids, boxed.labels.tolist(), strict=True)
    fitted = smallest_per_class(pairs, images_per_class, "few shot")
    kept = np.array([image_id in fitted for image_id in split.image_ids], bool)
    return FewShot(split.where(kept), split.where(~kept))
