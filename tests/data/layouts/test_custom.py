from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.cli.main import main
from wsol.data.layouts.custom import custom_manifest
from wsol.data.manifest.manifest import Manifest
from wsol.errors import UserError
from wsol.files.pictures.images import open_mask


def picture(path: Path, width: int = 20, height: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (90, 120, 150)).save(path)
    return path


def table(path: Path, *rows: str, columns: str = "image,label,x0,y0,x1,y1") -> Path:
    path.write_text("\n".join([columns, *rows]), encoding="utf-8")
    return path


def labels(manifest: Manifest, split: str) -> dict[str, str]:
    part = manifest.split(split)
    names = [manifest.classes[label] if label >= 0 else "" for label in part.labels]
    return dict(zip(part.image_ids, names, strict=True))


def test_class_subfolders_are_train_and_annotated_images_test(tmp_path):
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


def test_folders_called_by_splits_are_splits(tmp_path):
    for name in ("train/cat/1.jpg", "train/dog/1.jpg", "val/cat/1.jpg", "test/dog/1.jpg"):
        picture(tmp_path / "images" / name)
    boxes = table(
        tmp_path / "b.csv", "val/cat/1,0,0,5,5", "test/dog/1,0,0,5,5", columns="image,x0,y0,x1,y1"
    )
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m")
    assert manifest.splits == {"train": 2, "val": 1, "test": 1}
    assert labels(manifest, "test") == {"test/dog/1": "dog"}


def test_train_has_labels_only_and_a_fold_of_it_keeps_its_boxes(tmp_path):
    names = [f"train/cat/{n}.jpg" for n in range(4)]
    for name in names:
        picture(tmp_path / "images" / name)
    boxes = table(tmp_path / "b.csv", *(f"{name},cat,0,0,5,5" for name in names))
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m", val_fold=1)
    assert manifest.splits == {"train": 3, "val": 1}
    assert manifest.split("val").annotated and not manifest.split("train").annotated


def test_no_class_at_all(tmp_path):
    picture(tmp_path / "images/a.jpg")
    boxes = table(tmp_path / "b.csv", "a.jpg,0,0,5,5", columns="image,x0,y0,x1,y1")
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m")
    assert manifest.classes == [] and manifest.split("test").labels.tolist() == [-1]


def test_one_class_is_everybodys(tmp_path):
    for name in ("a.jpg", "noise.jpg"):
        picture(tmp_path / "images" / name)
    boxes = table(tmp_path / "b.csv", "a.jpg,cat,0,0,5,5", "noise.jpg,,,,,")
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m")
    assert labels(manifest, "test") == {"a": "cat", "noise": "cat"}
    assert manifest.split("test").annotations()["noise"].boxes.shape == (0, 4)


def test_an_image_of_several_classes_is_of_the_one_that_covers_most(tmp_path):
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


def test_masks_beside_images_need_no_option(tmp_path):
    for name in ("Dog/images/1.jpg", "Cat/images/1.jpg"):
        picture(tmp_path / "set" / name)
        mask = tmp_path / "set" / name.replace("images", "masks").replace(".jpg", ".png")
        mask.parent.mkdir()
        Image.fromarray(np.eye(10, 20, dtype=np.uint8) * 255).save(mask)
    manifest = custom_manifest(tmp_path / "set", [], tmp_path / "m")
    assert labels(manifest, "test") == {"Cat/images/1": "Cat", "Dog/images/1": "Dog"}
    annotation = manifest.split("test").annotations()["Dog/images/1"]
    assert annotation.masks == ((tmp_path / "set/Dog/masks/1.png").as_posix(),)


def test_coco_masks_are_drawn_into_the_manifest(tmp_path):
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


def test_masks_from_elsewhere_and_boxes_are_joined(tmp_path):
    picture(tmp_path / "images/a.jpg")
    (tmp_path / "elsewhere").mkdir()
    Image.fromarray(np.eye(10, 20, dtype=np.uint8)).save(tmp_path / "elsewhere/a.png")
    boxes = table(tmp_path / "b.csv", "a.jpg,cat,0,0,5,5")
    manifest = custom_manifest(tmp_path / "images", [boxes, tmp_path / "elsewhere"], tmp_path / "m")
    annotation = manifest.split("test").annotations()["a"]
    assert len(annotation.boxes) == 1
    np.testing.assert_array_equal(open_mask(annotation.masks[0]), np.eye(10, 20, dtype=bool))


def test_photographs_are_annotated_as_seen(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "images").mkdir()
    Image.new("RGB", (20, 10)).save(tmp_path / "images/a.jpg", exif=exif)
    boxes = table(tmp_path / "b.csv", "a.jpg,0,0,10,20", columns="image,x0,y0,x1,y1")
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m")
    assert manifest.exif and manifest.split("test").annotations()["a"].size == (20, 10)
    stored = custom_manifest(tmp_path / "images", boxes, tmp_path / "m", stored_pixels=True)
    assert stored.split("test").annotations()["a"].size == (10, 20)


def test_two_files_of_one_name_keep_their_suffix_in_the_id(tmp_path):
    for name in ("a.jpg", "a.png", "b.jpg"):
        picture(tmp_path / "images" / name)
    manifest = custom_manifest(tmp_path / "images", [], tmp_path / "m")
    assert manifest.split("train").image_ids == ["a.jpg", "a.png", "b"]


def test_everything_wrong_comes_in_one_pass_and_nothing_is_written(tmp_path, capsys):
    """The list of the command's bad input: each named, exit 2, no manifest."""
    images = tmp_path / "images"
    for name in ("flat.jpg", "size.jpg", "mask.jpg", "out.jpg", "twice.jpg", "größe 1.jpg"):
        picture(images / name)
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(images / "whole.jpg")
    (images / "cut.jpg").write_bytes((images / "whole.jpg").read_bytes()[:-100])
    (images / "empty.jpg").touch()
    (images / "page.jpg").write_text("<html>")
    masks = tmp_path / "masks"
    masks.mkdir()
    Image.new("L", (5, 5)).save(masks / "mask.png")
    path = tmp_path / "boxes.csv"
    path.write_bytes(
        "\ufeffimage,width,height,x0,y0,x1,y1\r\n"
        "flat.jpg,20,10,3,0,2,5\r\n"
        "size.jpg,200,100,0,0,5,5\r\n"
        "..,20,10,0,0,5,5\r\n"
        "out.jpg,20,10,30,0,35,5\r\n"
        "größe 1.jpg,20,10,5,5,1,9\r\n".encode()
    )
    code = main(
        [
            "prepare",
            "custom",
            "--root",
            str(images),
            "--annotations",
            str(path),
            str(masks),
            "--output",
            str(tmp_path / "m"),
        ]
    )
    error = capsys.readouterr().err
    assert code == 2 and "Traceback" not in error
    for part in (
        f"{path} line 2: x1 (2) is not right of x0 (3)",
        f"{path} line 3: the annotation is of an image of 200 x 100 pixels, but size.jpg has 20 x 10",
        f"{path} line 4: image file '..' leaves the root",
        f"{path} line 5: box 30 0 35 5 lies outside the image (20 x 10)",
        f"{path} line 6: x1 (1) is not right of x0 (5)",
        "mask.png: mask of 5 x 5 pixels, but mask.jpg has 20 x 10",
        "cut.jpg: damaged image",
        "empty.jpg: empty file",
        "page.jpg: not an image",
    ):
        assert part in error, error
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["boxes.csv", "images", "masks"]


def test_annotations_of_other_images_are_an_error_and_of_some_a_note(tmp_path):
    picture(tmp_path / "images/a.jpg")
    rows = ["a.jpg,cat,0,0,5,5", "gone.jpg,cat,0,0,5,5"]
    manifest = custom_manifest(tmp_path / "images", table(tmp_path / "b.csv", *rows), tmp_path / "m")
    assert any(
        "1 of 2 annotated images are not in the folder, e.g. gone.jpg" in note
        for note in manifest.info["notes"]
    )
    with pytest.raises(UserError, match=r"neither this .* nor any other annotated image"):
        custom_manifest(tmp_path / "images", table(tmp_path / "b.csv", rows[1]), tmp_path / "n")


def test_an_image_of_another_folder_is_not_the_one_annotated(tmp_path):
    for name in ("dog/1.jpg", "dog/2.jpg"):
        picture(tmp_path / "images" / name)
    boxes = table(tmp_path / "b.csv", "cat/1.jpg,cat,0,0,5,5", "dog/2.jpg,dog,1,1,9,9")
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m")
    assert labels(manifest, "test") == {"dog/2": "dog"} and labels(manifest, "train") == {"dog/1": "dog"}
    assert any(
        "1 of 2 annotated images are not in the folder" in note for note in manifest.info["notes"]
    )


def test_results_among_the_images_are_left_out_and_what_is_named(tmp_path):
    for name in ("cat/1.jpg", "dog/1.jpg", "output/overlays/cat/1.png", "charts/plot.png"):
        picture(tmp_path / name)
    (tmp_path / "output/metrics.json").write_text("{}")
    for given in ([tmp_path / "charts"], str(tmp_path / "charts")):
        manifest = custom_manifest(tmp_path, [], tmp_path / "set", skip=given)
        assert manifest.classes == ["cat", "dog"] and manifest.splits == {"train": 2}
    # The manifest itself lies there too, by now.
    assert custom_manifest(tmp_path, [], tmp_path / "set").classes == ["cat", "charts", "dog"]


def test_png_images_beside_their_coco_file(tmp_path):
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


def test_a_rule_for_corners_needs_a_source_with_corners(tmp_path):
    picture(tmp_path / "images/a.jpg")
    sides = table(tmp_path / "s.csv", "a.jpg,0,0,5,5", columns="image,x,y,width,height")
    for sources in (sides, []):
        with pytest.raises(UserError, match="--corners voc has nothing to apply to"):
            custom_manifest(tmp_path / "images", sources, tmp_path / "m", corners="voc")
    picture(tmp_path / "images/b.jpg")
    corners = table(tmp_path / "c.csv", "b.jpg,cat,1,1,5,5")
    manifest = custom_manifest(tmp_path / "images", [sides, corners], tmp_path / "m", corners="voc")
    found = manifest.split("test").annotations()
    assert found["a"].boxes.tolist() == [[0, 0, 5, 5]] and found["b"].boxes.tolist() == [[0, 0, 5, 5]]


def test_notes_say_what_was_left_out_or_had_no_effect(tmp_path):
    for name in ("cat/1.jpg", "dog/1.jpg", "masks/1.jpg"):
        picture(tmp_path / "images" / name)
    boxes = table(tmp_path / "b.csv", "cat/1.jpg,0,0,5,5,hat", columns="image,x0,y0,x1,y1,wears")
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m", val_fold=1, split="train")
    notes = "\n".join(manifest.info["notes"])
    assert manifest.classes == ["cat", "dog"] and manifest.splits == {"train": 2}
    for part in (
        "masks is taken for a folder of masks",
        "columns left out: wears",
        "--val-fold 1 holds out nothing: no class has two train images",
    ):
        assert part in notes
    picture(tmp_path / "images/cat/2.jpg")
    boxes = table(tmp_path / "b.csv", "cat/1.jpg,0,0,5,5,Valid", columns="image,x0,y0,x1,y1,split")
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m", val_fold=1)
    assert manifest.splits == {"train": 2, "val": 1}
    assert "--val-fold 1 holds out nothing: there is a val" in manifest.info["notes"]


def test_masks_of_what_is_not_scored_have_a_folder_of_their_own(tmp_path):
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


def test_coco_images_without_object_are_not_of_a_class_called_by_their_folder(tmp_path):
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


def test_files_beside_the_splits_are_an_error_until_they_are_skipped(tmp_path):
    names = [f"{split}/{name}/1.jpg" for split in ("train", "Valid") for name in ("cat", "dog")]
    for name in (*names, "cover.jpg"):
        picture(tmp_path / "images" / name)
    with pytest.raises(UserError, match=r"cover\.jpg: lies in none of the splits"):
        custom_manifest(tmp_path / "images", [], tmp_path / "m")
    assert not (tmp_path / "m").exists()
    skip = tmp_path / "images/cover.jpg"
    manifest = custom_manifest(tmp_path / "images", [], tmp_path / "m", skip=skip)
    assert manifest.classes == ["cat", "dog"] and manifest.splits == {"train": 2, "val": 2}
    manifest = custom_manifest(tmp_path / "images", [], tmp_path / "m", plain_folders=True)
    assert manifest.classes == [] and manifest.splits == {"train": 5}


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path, monkeypatch):
    for name in ("cat/1.jpg", "dog/1.jpg"):
        picture(tmp_path / "images" / name)
    scandir = os.scandir

    def refusing(path):
        if not isinstance(path, int) and Path(path).name == "dog":  # rmtree gives numbers
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(UserError, match=r"images/dog: this folder cannot be read \(Permission denied\)"):
        custom_manifest(tmp_path / "images", [], tmp_path / "m")
