"""Folders of one's own: which images are of which split and class, and what they are called."""

from __future__ import annotations

import json

from wsol.data.layouts.custom import custom_manifest


def test_class_subfolders_are_train_and_annotated_images_test(tmp_path, picture, table, labels):
    for name in ("cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "dog/3.png"):
        picture(tmp_path / "images" / name)
    boxes = table(
        tmp_path / "b.csv", "cat/2.jpg,0,0,5,5", "dog/1.jpg,1,1,9,9", columns="image,x0,y0,x1,y1"
    )
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m")
    assert labels(manifest, "train") == {"cat/1": "cat", "dog/3": "dog"}
    assert labels(manifest, "test") == {"cat/2": "cat", "dog/1": "dog"}
    assert manifest.split("test").annotations()["dog/1"].boxes.tolist() == [[1, 1, 9, 9]]
    assert not manifest.split("train").annotated


def test_folders_called_by_splits_are_splits(tmp_path, picture, table, labels):
    for name in ("train/cat/1.jpg", "train/dog/1.jpg", "val/cat/1.jpg", "test/dog/1.jpg"):
        picture(tmp_path / "images" / name)
    boxes = table(
        tmp_path / "b.csv", "val/cat/1,0,0,5,5", "test/dog/1,0,0,5,5", columns="image,x0,y0,x1,y1"
    )
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m")
    assert manifest.splits == {"train": 2, "val": 1, "test": 1}
    assert labels(manifest, "test") == {"test/dog/1": "dog"}


def test_train_has_labels_only_and_a_fold_of_it_keeps_its_boxes(tmp_path, picture, table):
    names = [f"train/cat/{n}.jpg" for n in range(4)]
    for name in names:
        picture(tmp_path / "images" / name)
    boxes = table(tmp_path / "b.csv", *(f"{name},cat,0,0,5,5" for name in names))
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m", val_fold=1)
    assert manifest.splits == {"train": 3, "val": 1}
    assert manifest.split("val").annotated and not manifest.split("train").annotated


def test_no_class_at_all(tmp_path, picture, table):
    picture(tmp_path / "images/a.jpg")
    boxes = table(tmp_path / "b.csv", "a.jpg,0,0,5,5", columns="image,x0,y0,x1,y1")
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m")
    assert manifest.classes == [] and manifest.split("test").labels.tolist() == [-1]


def test_one_class_is_everybodys(tmp_path, picture, table, labels):
    for name in ("a.jpg", "noise.jpg"):
        picture(tmp_path / "images" / name)
    boxes = table(tmp_path / "b.csv", "a.jpg,cat,0,0,5,5", "noise.jpg,,,,,")
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m")
    assert labels(manifest, "test") == {"a": "cat", "noise": "cat"}
    assert manifest.split("test").annotations()["noise"].boxes.shape == (0, 4)


def test_an_image_of_several_classes_is_of_the_one_that_covers_most(tmp_path, picture, table, labels):
    for name in ("a.jpg", "cat/b.jpg", "dog/c.jpg"):
        picture(tmp_path / "images" / name)
    rows = [
        f"{name},{row}" for name in ("a", "cat/b", "dog/c") for row in ("cat,0,0,2,2", "dog,0,0,9,9")
    ]
    manifest = custom_manifest(tmp_path / "images", table(tmp_path / "b.csv", *rows), tmp_path / "m")
    assert labels(manifest, "test") == {"a": "dog", "cat/b": "cat", "dog/c": "dog"}
    found = manifest.split("test").annotations()
    assert found["a"].boxes.tolist() == [[0, 0, 9, 9]] and found["cat/b"].boxes.tolist() == [
        [0, 0, 2, 2]
    ]
    assert "3 images show objects of several classes" in " ".join(manifest.info["notes"])


def test_two_files_of_one_name_keep_their_suffix_in_the_id(tmp_path, picture):
    for name in ("a.jpg", "a.png", "b.jpg"):
        picture(tmp_path / "images" / name)
    manifest = custom_manifest(tmp_path / "images", [], tmp_path / "m")
    assert manifest.split("train").image_ids == ["a.jpg", "a.png", "b"]


def test_coco_images_without_object_are_not_of_a_class_called_by_their_folder(tmp_path, picture, labels):
    names = [f"val2017/{n}.jpg" for n in range(3)]
    for name in names:
        picture(tmp_path / "images" / name)
    content = {
        "images": [{"id": n, "file_name": f"{n}.jpg"} for n in range(3)],
        "annotations": [{"image_id": n, "category_id": n, "bbox": [2, 1, 4, 3]} for n in range(2)],
        "categories": [{"id": n, "name": name} for n, name in enumerate(("cat", "dog"))],
    }
    (tmp_path / "a.json").write_text(json.dumps(content))
    manifest = custom_manifest(tmp_path / "images", tmp_path / "a.json", tmp_path / "m")
    assert labels(manifest, "test") == {"val2017/0": "cat", "val2017/1": "dog", "val2017/2": ""}
