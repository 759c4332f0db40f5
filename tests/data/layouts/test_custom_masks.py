"""Void and declared values reach the evaluator, whether masks stay in place or are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wsol.data.layouts.custom import custom_manifest
from wsol.evaluation.masks import true_mask

CODES = np.zeros((12, 20), np.uint8)
CODES[1:5, 2:8], CODES[5:11, 2:8], CODES[1:11, 12:16] = 8, 12, 255


def voc(root, masks):
    (root / "JPEGImages").mkdir(parents=True)
    masks.mkdir(parents=True)
    Image.new("RGB", (20, 12)).save(root / "JPEGImages/a.jpg")
    image = Image.frombytes("P", (20, 12), CODES.tobytes())
    image.putpalette([(7 * index) % 256 for index in range(768)])
    image.save(masks / "a.png")
    return masks


def scored(root, masks, output, **options):
    manifest = custom_manifest(root, masks, output, **options)
    split = manifest.split("test")
    return true_mask(split.annotations()["JPEGImages/a"], (12, 20)), manifest


@pytest.mark.parametrize("place", ["set/SegmentationClass", "elsewhere"])
def test_void_is_ignored_in_place_and_drawn(tmp_path, place):
    masks = voc(tmp_path / "set", tmp_path / place)
    found, manifest = scored(tmp_path / "set", masks, tmp_path / "m")
    expected = np.where(CODES == 255, 255, CODES > 0)
    np.testing.assert_array_equal(found, expected)
    assert manifest.info["mask_root"] == ("." if place == "elsewhere" else None)
    assert any("255 is void in 1 palette mask" in note for note in manifest.info["notes"])


def test_declared_values_are_drawn_also_below_the_root(tmp_path):
    masks = voc(tmp_path / "set", tmp_path / "set/SegmentationClass")
    found, _ = scored(tmp_path / "set", masks, tmp_path / "m", mask_values=["object=12,255", "ignore=8"])
    np.testing.assert_array_equal(found, np.select([CODES == 8, CODES > 8], [255, 1], 0))


def test_the_class_that_covers_most_is_the_label(tmp_path):
    masks = voc(tmp_path / "set", tmp_path / "set/SegmentationClass")
    found, manifest = scored(
        tmp_path / "set", masks, tmp_path / "m", mask_values=["cat=8", "dog=12", "ignore=255"]
    )
    np.testing.assert_array_equal(found, np.select([CODES == 255, CODES == 12], [255, 1], 0))
    assert (tmp_path / "m/classes.csv").read_text().splitlines()[1] == "0,dog,dog"
    assert manifest.split("test").labels.tolist() == [0]


def test_masks_of_other_kinds_are_read(tmp_path):
    (tmp_path / "set").mkdir()
    inside = CODES > 0
    for suffix in ("bmp", "tif", "webp", "gif", "npy"):
        Image.new("RGB", (20, 12)).save(tmp_path / f"set/{suffix}.jpg")
        path = tmp_path / f"truth/{suffix}.{suffix}"
        path.parent.mkdir(exist_ok=True)
        if suffix == "npy":
            np.save(path, inside)
        else:
            options = {"lossless": True} if suffix == "webp" else {}
            Image.fromarray(inside.astype(np.uint8) * 255).save(path, **options)
    split = custom_manifest(tmp_path / "set", tmp_path / "truth", tmp_path / "m").split("test")
    assert len(split) == 5
    for annotation in split.annotations().values():
        np.testing.assert_array_equal(true_mask(annotation, (12, 20)), inside)
