"""Masks of one's own images: where they may lie, and how they get into the manifest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.layouts.custom import custom_manifest
from wsol.files.pictures.images import open_mask


def test_masks_beside_images_need_no_option(tmp_path, picture, labels):
    for name in ("Dog/images/1.jpg", "Cat/images/1.jpg"):
        picture(tmp_path / "set" / name)
        mask = tmp_path / "set" / name.replace("images", "masks").replace(".jpg", ".png")
        mask.parent.mkdir()
        Image.fromarray(np.eye(10, 20, dtype=np.uint8) * 255).save(mask)
    manifest = custom_manifest(tmp_path / "set", [], tmp_path / "m")
    assert labels(manifest, "test") == {"Cat/images/1": "Cat", "Dog/images/1": "Dog"}
    annotation = manifest.split("test").annotations()["Dog/images/1"]
    assert annotation.masks == ((tmp_path / "set/Dog/masks/1.png").as_posix(),)


def test_coco_masks_are_drawn_into_the_manifest(tmp_path, picture):
    pytest.importorskip("pycocotools")
    for name in ("a.jpg", "none.jpg"):
        picture(tmp_path / "images" / name)
    square = [[2, 1, 6, 1, 6, 4, 2, 4]]
    images = [
        {"id": n, "file_name": name, "width": 20, "height": 10}
        for n, name in enumerate(("a.jpg", "none.jpg"))
    ]
    items = [
        {"image_id": 0, "category_id": 1, "segmentation": square, "bbox": [2, 1, 4, 3]},
        {"image_id": 0, "segmentation": {"size": [10, 20], "counts": [0, 10, 190]}, "iscrowd": 1},
    ]
    content = {"images": images, "annotations": items, "categories": [{"id": 1, "name": "cat"}]}
    (tmp_path / "a.json").write_text(json.dumps(content))
    manifest = custom_manifest(tmp_path / "images", tmp_path / "a.json", tmp_path / "m")
    found = manifest.split("test").annotations()
    inside, ignored = np.zeros((10, 20), bool), np.zeros((10, 20), bool)
    inside[1:4, 2:6], ignored[:, 0] = True, True
    assert [Path(path).parent.parent for path in found["a"].masks] == [tmp_path / "m"]
    np.testing.assert_array_equal(open_mask(found["a"].masks[0]), inside)
    np.testing.assert_array_equal(open_mask(found["a"].ignore[0]), ignored)
    # Listed without object: an empty mask, so that false alarms there count.
    assert not open_mask(found["none"].masks[0]).any()


def test_masks_from_elsewhere_and_boxes_are_joined(tmp_path, picture, table):
    picture(tmp_path / "images/a.jpg")
    (tmp_path / "elsewhere").mkdir()
    Image.fromarray(np.eye(10, 20, dtype=np.uint8)).save(tmp_path / "elsewhere/a.png")
    boxes = table(tmp_path / "b.csv", "a.jpg,cat,0,0,5,5")
    manifest = custom_manifest(tmp_path / "images", [boxes, tmp_path / "elsewhere"], tmp_path / "m")
    annotation = manifest.split("test").annotations()["a"]
    assert len(annotation.boxes) == 1
    np.testing.assert_array_equal(open_mask(annotation.masks[0]), np.eye(10, 20, dtype=bool))


def test_photographs_are_annotated_as_seen(tmp_path, table):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "images").mkdir()
    Image.new("RGB", (20, 10)).save(tmp_path / "images/a.jpg", exif=exif)
    boxes = table(tmp_path / "b.csv", "a.jpg,0,0,10,20", columns="image,x0,y0,x1,y1")
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m")
    assert manifest.exif and manifest.split("test").annotations()["a"].size == (20, 10)
    stored = custom_manifest(tmp_path / "images", boxes, tmp_path / "m", stored_pixels=True)
    assert stored.split("test").annotations()["a"].size == (10, 20)


def test_png_images_beside_their_coco_file(tmp_path, picture):
    for name in ("p1.png", "p2.png"):
        picture(tmp_path / "images" / name)
    content = {
        "images": [{"id": n, "file_name": f"p{n}.png"} for n in (1, 2)],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [2, 1, 4, 3]}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (tmp_path / "images/_annotations.coco.json").write_text(json.dumps(content))
    manifest = custom_manifest(tmp_path / "images", tmp_path / "images", tmp_path / "m")
    annotation = manifest.split("test").annotations()["p1"]
    assert annotation.boxes.tolist() == [[2, 1, 6, 4]] and not annotation.masks


def test_masks_of_what_is_not_scored_have_a_folder_of_their_own(tmp_path, picture):
    pytest.importorskip("pycocotools")
    for name in ("a.jpg", "a_ignore.jpg"):
        picture(tmp_path / "images" / name)
    objects = {
        1: [2, 1, 6, 1, 6, 4, 2, 4],
        2: [8, 0, 12, 0, 12, 10, 8, 10],
    }
    content = {
        "images": [
            {"id": 1, "file_name": "a.jpg", "width": 20, "height": 10},
            {"id": 2, "file_name": "a_ignore.jpg", "width": 20, "height": 10},
        ],
        "annotations": [
            *({"image_id": n, "segmentation": [outline]} for n, outline in objects.items()),
            {"image_id": 1, "segmentation": {"size": [10, 20], "counts": [0, 10, 190]}, "iscrowd": 1},
        ],
    }
    (tmp_path / "a.json").write_text(json.dumps(content))
    for _ in range(2):  # the second replaces the first
        manifest = custom_manifest(tmp_path / "images", tmp_path / "a.json", tmp_path / "m")
        found = manifest.split("test").annotations()
        areas = [int(open_mask(path).sum()) for path in (found["a"].masks[0], found["a"].ignore[0])]
        assert areas == [12, 10] and int(open_mask(found["a_ignore"].masks[0]).sum()) == 40
