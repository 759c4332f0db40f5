"""EXIF orientation is named where it is why an annotation does not fit its image."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from wsol.data.layouts.custom import custom_manifest
from wsol.errors import UserError


def photograph(path, tag, size=(8, 6)):
    exif = Image.Exif()
    exif[0x0112] = tag
    Image.new("RGB", size).save(path, exif=exif)


def coco(path, file, **size):
    path.write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": file, **size}],
                "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4]}],
                "categories": [{"id": 1, "name": "cat"}],
            }
        )
    )
    return path


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("tag", [5, 6, 7, 8])
def test_a_size_that_is_the_stored_one_names_exif_and_the_option(tmp_path, suffix, tag):
    (tmp_path / "i").mkdir()
    photograph(tmp_path / f"i/a.{suffix}", tag)
    given = coco(tmp_path / "a.json", f"a.{suffix}", width=8, height=6)
    with pytest.raises(UserError, match=rf"EXIF orientation {tag} turns .* --stored-pixels"):
        custom_manifest(tmp_path / "i", given, tmp_path / "m")
    made = custom_manifest(tmp_path / "i", given, tmp_path / "m", stored_pixels=True)
    assert not made.exif
    turned = coco(tmp_path / "b.json", f"a.{suffix}", width=6, height=8)
    assert custom_manifest(tmp_path / "i", turned, tmp_path / "n").exif
    with pytest.raises(UserError, match="leave out --stored-pixels"):
        custom_manifest(tmp_path / "i", turned, tmp_path / "o", stored_pixels=True)


@pytest.mark.parametrize(("tag", "size"), [(2, (8, 6)), (3, (8, 6)), (4, (8, 6)), (6, (8, 8))])
def test_where_no_size_can_tell_a_note_says_what_was_taken(tmp_path, tag, size):
    (tmp_path / "i").mkdir()
    photograph(tmp_path / "i/a.jpg", tag, size)
    given = coco(tmp_path / "a.json", "a.jpg", width=size[0], height=size[1])
    notes = custom_manifest(tmp_path / "i", given, tmp_path / "m").info["notes"]
    assert any("1 annotated image is turned by EXIF" in note for note in notes)
    notes = custom_manifest(tmp_path / "i", given, tmp_path / "n", stored_pixels=True).info["notes"]
    assert not any("EXIF" in note for note in notes)


def test_boxes_that_fit_only_the_stored_picture_name_exif(tmp_path):
    (tmp_path / "i").mkdir()
    photograph(tmp_path / "i/a.jpg", 6, (80, 60))
    (tmp_path / "b.csv").write_text("image_id,x0,y0,x1,y1\na,50,20,75,50\n")
    with pytest.raises(UserError, match=r"line 2: the box lies outside a\.jpg as its EXIF orient"):
        custom_manifest(tmp_path / "i", tmp_path / "b.csv", tmp_path / "m")


def test_masks_of_the_stored_size_name_exif(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    photograph(tmp_path / "images/a.jpg", 6)
    Image.fromarray(np.eye(6, 8, dtype=np.uint8)).save(tmp_path / "masks/a.png")
    with pytest.raises(UserError, match=r"mask of 8 x 6 .* EXIF orientation 6 .* --stored-pixels"):
        custom_manifest(tmp_path, tmp_path / "masks", tmp_path.parent / "exif_masks")


def test_pages_beyond_the_first_are_told(tmp_path):
    (tmp_path / "i").mkdir()
    pages = [Image.new("L", (8, 6)), Image.new("L", (30, 30))]
    pages[0].save(tmp_path / "i/a.tif", save_all=True, append_images=pages[1:])
    notes = custom_manifest(tmp_path / "i", [], tmp_path / "m").info["notes"]
    assert "1 file with several pages or frames (e.g. a.tif, 2): the first of each is read" in notes
