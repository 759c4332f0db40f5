from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wsol.data.layouts.imagenet import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_writing import write_manifest
from wsol.errors import UserError

ANNOTATIONS = "ILSVRC/Annotations/CLS-LOC"


def read(root: Path, **options: object) -> Manifest:
    folder = root / "manifest"
    write_manifest(folder, LAYOUT.read(root, LAYOUT.options(**options)))
    return Manifest.read(folder)


def said(root: Path) -> list[str]:
    with pytest.raises(UserError) as caught:
        read(root)
    assert not (root / "manifest").exists()
    return str(caught.value).splitlines()


def test_the_release_as_a_manifest(imagenet_release):
    manifest = read(imagenet_release, val_fold=0)
    assert manifest.splits == {"train": 4, "test": 2}
    assert manifest.class_keys == ["n01", "n02"] and manifest.classes == [
        "tench, Tinca tinca",
        "goldfish",
    ]
    assert manifest.split("train").image_ids == ["n01_3", "n01_7", "n02_3", "n02_7"]
    assert manifest.split("train").labels.tolist() == [0, 0, 1, 1]
    found = manifest.split("test").annotations()
    first, second = found["ILSVRC2012_val_1"], found["ILSVRC2012_val_2"]
    # 0-based inclusive corners: the whole image is 0 0 49 39, one pixel is 5 6 5 6.
    np.testing.assert_array_equal(first.boxes, [[0, 0, 50, 40], [10, 11, 21, 32]])
    np.testing.assert_array_equal(first.source_boxes, [[0, 0, 49, 39], [10, 11, 20, 31]])
    np.testing.assert_array_equal(second.boxes, [[5, 6, 6, 7]])
    assert (first.label, second.label) == (1, 0) and first.size == (40, 50)


def test_the_csv_says_what_the_xml_says(imagenet_release, tmp_path):
    from_xml = read(imagenet_release)
    solution = "ImageId,PredictionString\nILSVRC2012_val_2,n01 5 6 5 6 \n"
    solution += "ILSVRC2012_val_1,n02 0 0 49 39 n02 10 11 20 31 \n"
    (imagenet_release / "LOC_val_solution.csv").write_text(solution)
    assert read(imagenet_release).hash == from_xml.hash
    for name in (1, 2):
        (imagenet_release / f"{ANNOTATIONS}/val/ILSVRC2012_val_{name}.xml").unlink()
    assert read(imagenet_release).hash == from_xml.hash
    inner = write_manifest(
        tmp_path / "inner", LAYOUT.read(imagenet_release / "ILSVRC", LAYOUT.options())
    )
    assert inner["hash"] == from_xml.hash


def test_a_csv_that_contradicts_the_xml_is_an_error(imagenet_release):
    (imagenet_release / "LOC_val_solution.csv").write_text(
        "ImageId,PredictionString\nILSVRC2012_val_2,n01 5 6 5 7\n"
    )
    assert said(imagenet_release) == [
        "ILSVRC2012_val_2.xml: its boxes are not those of LOC_val_solution.csv line 2"
    ]


def test_the_fold_takes_boxes_of_train_where_there_are_some(imagenet_release):
    manifest = read(imagenet_release, val_fold=1)
    assert manifest.splits == {"train": 2, "val": 2, "test": 2}
    assert (
        "val has neither boxes nor masks: it tells accuracy, not localization" in manifest.info["notes"]
    )
    xml = (imagenet_release / f"{ANNOTATIONS}/val/ILSVRC2012_val_2.xml").read_text()
    for image_id in manifest.split("val").image_ids + manifest.split("train").image_ids:
        key = image_id[:3]
        path = imagenet_release / f"{ANNOTATIONS}/train/{key}/{image_id}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(xml.replace("n01", key).replace(">50<", ">20<").replace(">40<", ">20<"))
    boxed = read(imagenet_release, val_fold=1)
    assert boxed.split("val").image_ids == manifest.split("val").image_ids
    assert all(len(item.boxes) == 1 for item in boxed.split("val").annotations().values())
    assert not boxed.split("train").annotated


def test_train_and_val_may_each_be_absent(imagenet_release):
    data = imagenet_release / "ILSVRC/Data/CLS-LOC"
    (data / "train").rename(imagenet_release / "elsewhere")
    manifest = read(imagenet_release)
    assert manifest.splits == {"test": 2} and manifest.class_keys == ["n01", "n02"]
    (imagenet_release / "elsewhere").rename(data / "train")
    (data / "val").rename(imagenet_release / "elsewhere")
    (imagenet_release / "LOC_synset_mapping.txt").unlink()
    manifest = read(imagenet_release, val_fold=0)
    assert manifest.splits == {"train": 4} and manifest.classes == ["n01", "n02"]
    assert "there is no val image: the manifest has no test split" in manifest.info["notes"]


def test_unlabelled_val_images_are_left_out_and_counted(imagenet_release):
    (imagenet_release / f"{ANNOTATIONS}/val/ILSVRC2012_val_2.xml").unlink()
    manifest = read(imagenet_release)
    assert manifest.split("test").image_ids == ["ILSVRC2012_val_1"]
    assert any(
        note.startswith("1 val images have neither XML nor a row") for note in manifest.info["notes"]
    )


def test_train_can_be_listed_without_opening(imagenet_release):
    (imagenet_release / "ILSVRC/Data/CLS-LOC/train/n01/n01_3.JPEG").write_bytes(b"")
    assert "n01_3.JPEG: empty file" in said(imagenet_release)[0]
    assert read(imagenet_release, list_train=True, val_fold=0).splits == {"train": 4, "test": 2}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("<xmax>5<", "<xmax>3<", "object 1: x1 (4) is not right of x0 (5)"),
        ("<xmax>5<", "<xmax>far<", "'5 6 far 6' are not 4 numbers"),
        ("<xmin>5<", "<xmin>77<", "object 1: x1 (6) is not right of x0 (77)"),
        ("<object>", "<thing>", "not an XML annotation"),
        ("<width>50<", "<width>500<", "the annotation is of an image of 500 x 40 pixels"),
        ("<width>50<", "<width>x<", "size 'x' x '40' is not in pixels"),
        ("<width>50<", f"<width>{'5' * 5000}<", f"size {'5' * 40!r} x '40' is not in pixels"),
        ("<name>n01<", "<name> <", "objects must be of one class, they are ''"),
    ],
)
def test_a_bad_annotation_is_named(imagenet_release, old, new, expected):
    path = imagenet_release / f"{ANNOTATIONS}/val/ILSVRC2012_val_2.xml"
    path.write_text(path.read_text().replace(old, new))
    (line,) = said(imagenet_release)
    assert "ILSVRC2012_val_2.xml" in line and expected in line


def test_an_annotation_without_object_is_named(imagenet_release):
    path = imagenet_release / f"{ANNOTATIONS}/val/ILSVRC2012_val_2.xml"
    path.write_text("<annotation/>")
    assert said(imagenet_release) == [f"{path}: no object"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("ILSVRC2012_val_2,n01 5 6 5", "line 2: not an id and groups of class"),
        ("ILSVRC2012_val_2", "line 2: not an id and groups of class"),
        ("ILSVRC2012_val_2,n01 1 1 2 2 n02 1 1 2 2", "line 2: boxes of several classes"),
        ("ILSVRC2012_val_2,n01 1 1 b 2", "line 2: '1 1 b 2' are not 4 numbers"),
    ],
)
def test_a_bad_row_of_the_csv_is_named(imagenet_release, row, expected):
    (imagenet_release / "LOC_val_solution.csv").write_text(f"ImageId,PredictionString\n{row}\n")
    assert any(expected in line for line in said(imagenet_release))


def test_another_layout_is_named(tmp_path):
    assert "no ILSVRC CLS-LOC there" in said(tmp_path)[0]


@pytest.mark.shared
def test_ten_classes_of_the_official_release(real_data, tmp_path):
    root = real_data / "imagenette"
    info = write_manifest(tmp_path / "m", LAYOUT.read(root, LAYOUT.options()))
    # Counts of its README: 310 train images a class, of which 5 are the fold; 250 val, 444 boxes.
    assert info["counts"]["images"] == {"train": 3050, "val": 50, "test": 250}
    assert info["counts"]["boxes"] == {"test": 444}
    rows = (root / "LOC_val_solution.csv").read_text().splitlines()[1:]
    found = Manifest.read(tmp_path / "m").split("test").annotations()
    for row in rows:
        image_id, text = row.split(",")
        numbers = np.array([int(word) for word in text.split() if not word.startswith("n")]).reshape(
            -1, 4
        )
        np.testing.assert_array_equal(found[image_id].source_boxes, numbers)
        np.testing.assert_array_equal(found[image_id].boxes, numbers + np.array([0, 0, 1, 1]))
