"""Val cut in two: what is fitted on with boxes, and what is chosen on."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_draft import DraftBox, DraftClass, DraftImage, ManifestDraft
from wsol.data.manifest.manifest_writing import write_manifest
from wsol.data.splits.few_shot import few_shot
from wsol.errors import UserError


def made(folder, boxed):
    """``boxed`` images with a box in each of two classes, one without in the first, in val."""
    images = []
    Image.fromarray(np.zeros((12, 12, 3), np.uint8)).save(folder / "same.png")
    for label, count in enumerate(boxed):
        for number in range(count + (label == 0)):
            corners = (1.0, 1.0, 9.0, 9.0)
            boxes = (DraftBox(corners, corners, ""),) if number < count else ()
            images.append(DraftImage(f"{label}/{number}", "same.png", label, "val", boxes))
    # A box, but nobody says of what.
    box = DraftBox((1.0, 1.0, 9.0, 9.0), (1.0, 1.0, 9.0, 9.0), "")
    images.append(DraftImage("unlabelled", "same.png", None, "val", (box,)))
    classes = [DraftClass("even", "0"), DraftClass("odd", "1")]
    write_manifest(folder / "m", ManifestDraft("mine", "mine", "1", folder, classes, images))
    return Manifest.read(folder / "m")


def test_so_many_boxed_images_a_class_and_all_others(tmp_path):
    manifest = made(tmp_path, (5, 4))
    cut = few_shot(manifest, 3)
    assert Counter(cut.fitted.labels.tolist()) == {0: 3, 1: 3}
    assert all(len(one.boxes) for one in cut.fitted.annotations().values())
    everything = sorted(manifest.split("val").image_ids)
    assert sorted(cut.fitted.image_ids + cut.chosen_on.image_ids) == everything
    # Fewer are some of the same.
    assert set(few_shot(manifest, 1).fitted.image_ids) < set(cut.fitted.image_ids)


def test_one_has_to_be_left_to_choose_by(tmp_path):
    with pytest.raises(UserError, match=r"class odd has 4 boxed images in val, .*: 3 at most"):
        few_shot(made(tmp_path, (6, 4)), 4)
