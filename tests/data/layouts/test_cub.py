from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.layouts.cub import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_writing import write_manifest
from wsol.errors import UserError


def read(root: Path, **options: object) -> Manifest:
    folder = root / "manifest"
    write_manifest(folder, LAYOUT.read(root, LAYOUT.options(**options)))
    return Manifest.read(folder)


def edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text()))


def said(root: Path) -> list[str]:
    with pytest.raises(UserError) as caught:
        read(root)
    assert not (root / "manifest").exists()
    return str(caught.value).splitlines()


def test_the_release_as_a_manifest(cub_release):
    manifest = read(cub_release, val_fold=1)
    assert manifest.splits == {"train": 2, "val": 2, "test": 2}
    assert manifest.class_keys == ["001.Gull", "002.Wren"]  # 003 has no images
    test = manifest.split("test")
    assert test.image_ids == ["001.Gull/e", "002.Wren/f"] and test.labels.tolist() == [0, 1]
    found = test.annotations()
    # x 1, y 2, width 10, height 20; the other one ends at 45.5, right of the image's 40.
    np.testing.assert_array_equal(found["001.Gull/e"].boxes, [[1, 2, 11, 22]])
    np.testing.assert_array_equal(found["002.Wren/f"].boxes, [[5.5, 6, 40, 30]])
    # wsolevaluation's corners are clipped to the last pixel.
    np.testing.assert_array_equal(found["002.Wren/f"].source_boxes, [[5.5, 6, 39, 29]])
    assert found["002.Wren/f"].size == (30, 40)
    assert Path(test.paths[0]).is_file()


def test_the_fold_has_boxes_and_train_has_none(cub_release):
    manifest = read(cub_release, val_fold=1)
    assert sorted(manifest.split("val").labels) == [0, 1]
    assert all(len(item.boxes) == 1 for item in manifest.split("val").annotations().values())
    assert not manifest.split("train").annotated
    assert manifest.info["val_fold"] == {"seed": 0, "per_class": 1, "images": 2}
    assert "val" not in read(cub_release, val_fold=0).splits


def test_either_folder_may_be_given_and_the_hash_is_one(cub_release, tmp_path):
    inner = write_manifest(
        tmp_path / "inner", LAYOUT.read(cub_release / "CUB_200_2011", LAYOUT.options())
    )
    assert inner["hash"] == read(cub_release).hash


def test_segmentations_are_found_beside_the_release(cub_release):
    mask = cub_release / "segmentations/001.Gull/e.png"
    mask.parent.mkdir(parents=True)
    Image.fromarray(np.zeros((30, 40), np.uint8)).save(mask)
    found = read(cub_release).split("test").annotations()
    assert found["001.Gull/e"].masks == (str(mask),)
    assert found["002.Wren/f"].masks == ()


def test_cubv2_is_val_where_it_is_there(cub_release):
    folder = cub_release / "CUBV2"
    source = cub_release / "CUB_200_2011/images/001.Gull/a.jpg"
    for name in ("001.Gull/77.jpg", "003.Absent/78.jpg"):
        (folder / name).parent.mkdir(parents=True)
        shutil.copy(source, folder / name)
    (folder / "localization.txt").write_text("001.Gull/77.jpg,3,4,39,20\n003.Absent/78.jpg,0,0,1,1")
    manifest = read(cub_release)
    assert manifest.splits == {"train": 4, "test": 2, "val": 1}
    assert manifest.info["val_fold"] == {}
    annotation = manifest.split("val").annotations()["CUBV2/001.Gull/77"]
    np.testing.assert_array_equal(annotation.boxes, [[3, 4, 39, 20]])  # x + width, y + height
    np.testing.assert_array_equal(annotation.source_boxes, [[3, 4, 39, 20]])


def test_what_is_missing_makes_a_subset_that_says_so(cub_release):
    base = cub_release / "CUB_200_2011"
    edit(base / "bounding_boxes.txt", lambda text: text.replace("5 1.0 2.0 10.0 20.0\n", "9 1 1 1 1\n"))
    (base / "images/002.Wren/f.jpg").unlink()
    (base / "classes.txt").unlink()
    (base / "image_class_labels.txt").unlink()
    manifest = read(cub_release)
    assert manifest.split("test").image_ids == ["001.Gull/e"]
    for note in (
        "1 listed images have no file and were left out",
        "there is no classes.txt: classes are the folders",
        "there is no image_class_labels.txt",
        "1 rows of bounding_boxes.txt are of images that images.txt does not list",
        "1 val and test images have no box",
    ):
        assert note in manifest.info["notes"]


def test_contradictions_are_named_all_at_once(cub_release):
    base = cub_release / "CUB_200_2011"
    edit(base / "image_class_labels.txt", lambda text: text.replace("5 1\n", "5 2\n") + "6 2\n")
    edit(
        base / "bounding_boxes.txt",
        lambda text: text.replace("5 1.0 2.0 10.0 20.0", "5 1.0 2.0 -10 wide"),
    )
    edit(
        base / "train_test_split.txt", lambda text: text.replace("3 1\n", "").replace("4 1\n", "4 yes\n")
    )
    (base / "images/002.Wren/f.jpg").write_bytes(b"")
    found = said(cub_release)
    assert "image_class_labels.txt line 7: '6' is already in image_class_labels.txt line 6" in found
    assert "image_class_labels.txt line 5: class 2 is 002.Wren, but the image lies in 001.Gull" in found
    assert "bounding_boxes.txt line 5: '1.0 2.0 -10 wide' are not 4 numbers" in found
    assert "train_test_split.txt line 3: 'yes' is neither 1 (train) nor 0 (test)" in found
    assert "images.txt line 3: image 3 is not in train_test_split.txt" in found
    assert any("f.jpg: empty file" in line for line in found)


def test_paths_that_name_nothing_are_named(cub_release):
    base = cub_release / "CUB_200_2011"
    edit(base / "images.txt", lambda text: text + "7 .\n8 /\n9 ../x.jpg\n")
    cubv2 = cub_release / "CUBV2"
    cubv2.mkdir()
    (cubv2 / "localization.txt").write_text(",1,2,3,4\n./,1,2,3,4\n")
    assert said(cub_release) == [
        "images.txt line 7: path '.' names nothing",
        "images.txt line 8: path '/' must be relative to the root",
        "images.txt line 9: path '../x.jpg' leaves the root",
        "localization.txt line 1: no path",
        "localization.txt line 2: path './' names nothing",
    ]


def test_an_empty_box_is_an_error(cub_release):
    edit(
        cub_release / "CUB_200_2011/bounding_boxes.txt",
        lambda text: text.replace("5 1.0 2.0 10.0", "5 1.0 2.0 0.0"),
    )
    assert said(cub_release) == ["bounding_boxes.txt line 5: x1 (1) is not right of x0 (1)"]


def test_another_layout_is_named(tmp_path):
    assert "no CUB-200-2011 there" in said(tmp_path)[0]


@pytest.mark.shared
def test_the_first_forty_classes(real_data, tmp_path):
    root = real_data / "cub40"
    draft = LAYOUT.read(root, LAYOUT.options())
    write_manifest(tmp_path / "m", draft)
    manifest = Manifest.read(tmp_path / "m")
    # Counts of its README: 1200 train, of which 5 a class are the fold, 1090 test, one box each.
    assert manifest.splits == {"train": 1000, "val": 200, "test": 1090}
    assert len(manifest.classes) == 40
    assert np.bincount(manifest.split("val").labels).tolist() == [5] * 40
    # The official tables, read another way.
    base = root / "CUB_200_2011"
    paths = dict(line.split() for line in (base / "images.txt").read_text().splitlines())
    boxes = dict(line.split(" ", 1) for line in (base / "bounding_boxes.txt").read_text().splitlines())
    by_id = {path.removesuffix(".jpg"): boxes[number] for number, path in paths.items()}
    for image_id, annotation in manifest.split("test").annotations().items():
        x, y, width, height = map(float, by_id[image_id].split())
        np.testing.assert_allclose(annotation.boxes, [[x, y, x + width, y + height]], atol=1e-4)
