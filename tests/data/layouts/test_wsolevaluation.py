from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.layouts import wsolevaluation
from wsol.data.layouts.imagenet_classes import imagenet_classes
from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare
from wsol.errors import UserError


def metadata(folder: Path, labels: str, sizes: str, localization: str) -> Path:
    """The four tables of a split; as in the origin there is no newline at a file's end."""
    folder.mkdir(parents=True)
    ids = "\n".join(line.split(",")[0] for line in labels.split())
    for name, text in (
        ("image_ids", ids),
        ("class_labels", "\n".join(labels.split())),
        ("image_sizes", "\n".join(sizes.split())),
        ("localization", "\n".join(localization.split())),
    ):
        (folder / f"{name}.txt").write_text(text)
    return folder


def read(root: Path, output: Path, **options: object) -> Manifest:
    given = wsolevaluation.LAYOUT.options(**options)
    prepare("wsolevaluation", root, output, options=given)
    return Manifest.read(output)


def test_cub_without_image_files(tmp_path):
    root = tmp_path / "CUB"
    metadata(root / "train", "001.Gull/a.jpg,0", "001.Gull/a.jpg,50,40", "001.Gull/a.jpg,1,2,3,4")
    metadata(
        root / "test",
        "001.Gull/b.jpg,0 004.Wren/c.jpg,3",
        "001.Gull/b.jpg,50,40 004.Wren/c.jpg,30,60",
        "001.Gull/b.jpg,5,6,49,20 004.Wren/c.jpg,0,0,10,10 004.Wren/c.jpg,1,1,5,9",
    )
    manifest = read(root, tmp_path / "m")
    assert manifest.name == "cub" and manifest.splits == {"train": 1, "test": 2}
    # Labels keep their numbers, so that predictions of the reference's models fit; gaps have no image.
    assert manifest.class_keys == ["001.Gull", "class 1", "class 2", "004.Wren"]
    test = manifest.split("test")
    assert test.image_ids == ["001.Gull/b", "004.Wren/c"] and test.sizes.tolist() == [[40, 50], [60, 30]]
    found = test.annotations()
    # x1 is x + width in CUB's metadata: half-open already.
    assert found["001.Gull/b"].boxes.tolist() == [[5, 6, 49, 20]]
    assert found["004.Wren/c"].source_boxes.tolist() == [[0, 0, 10, 10], [1, 1, 5, 9]]
    assert not manifest.split("train").annotated


def test_imagenet_boxes_are_inclusive_and_labels_are_wnids(tmp_path):
    root = tmp_path / "ILSVRC"
    metadata(root / "val", "val2/0/0.jpeg,0", "val2/0/0.jpeg,500,375", "val2/0/0.jpeg,156,163,318,230")
    metadata(
        root / "test",
        "val/ILSVRC2012_val_00000001.JPEG,65",
        "val/ILSVRC2012_val_00000001.JPEG,500,375",
        "val/ILSVRC2012_val_00000001.JPEG,111,108,499,374",
    )
    manifest = read(root, tmp_path / "m")
    assert manifest.name == "imagenet" and len(manifest.class_keys) == 1000
    annotation = manifest.split("test").annotations()["val/ILSVRC2012_val_00000001"]
    assert annotation.boxes.tolist() == [[111, 108, 500, 375]]
    assert annotation.source_boxes.tolist() == [[111, 108, 499, 374]]
    assert annotation.label == 65 and manifest.class_keys[0] == "n01440764"
    assert manifest.split("val").annotations()["val2/0/0"].boxes.tolist() == [[156, 163, 319, 231]]


def test_one_split_alone_and_images_that_are_there(tmp_path):
    folder = metadata(
        tmp_path / "val", "c/a.jpg,0 d/b.jpg,1", "c/a.jpg,50,40 d/b.jpg,50,40", "c/a.jpg,1,2,3,4"
    )
    assert read(folder, tmp_path / "m").splits == {"val": 2}
    images = tmp_path / "images"
    (images / "c").mkdir(parents=True)
    Image.new("RGB", (25, 20)).save(images / "c/a.jpg")
    with pytest.raises(UserError, match=r"of an image of 50 x 40 pixels, but c/a\.jpg has 25 x 20"):
        read(folder, tmp_path / "n", images=images)


def test_findings_name_file_and_line(tmp_path):
    folder = metadata(
        tmp_path / "test",
        f"c/a.jpg,0 c/a.jpg,0 c/b.jpg,x ../c.jpg,0 d.jpg e.jpg,0 f.jpg,0 .,3 /,3 g.jpg,{'9' * 5000}",
        "c/a.jpg,9,40 c/b.jpg,0,40 c/z.jpg,5,5 e.jpg,5,5",
        "c/a.jpg,1,2,3 c/z.jpg,1,2,3,4 c/a.jpg,1,2,one,4 c/a.jpg,9,2,3,4 f.jpg,1,1,2,2",
    )
    with pytest.raises(UserError) as caught:
        read(folder, tmp_path / "m")
    lines = str(caught.value).splitlines()
    for part in (
        f"{folder}/class_labels.txt line 2: 'c/a.jpg' is already in {folder}/class_labels.txt line 1",
        f"{folder}/class_labels.txt line 3: 'x' is not a class number",
        f"{folder}/class_labels.txt line 4: image id '../c.jpg' leaves the root",
        f"{folder}/class_labels.txt line 5: 1 values where there should be 2",
        f"{folder}/class_labels.txt line 8: image id '.' names nothing",
        f"{folder}/class_labels.txt line 9: image id '/' must be relative to the root",
        f"{folder}/class_labels.txt line 10: {'9' * 40!r} is not a class number",
        f"{folder}/image_sizes.txt line 2: size '0' x '40' is not in pixels",
        f"{folder}/image_sizes.txt line 3: 'c/z.jpg' is not among the images",
        f"{folder}/class_labels.txt line 7: neither f.jpg nor its size is there",
        f"{folder}/localization.txt line 1: 4 values where there should be 3 or 5",
        f"{folder}/localization.txt line 2: 'c/z.jpg' is not among the images",
        f"{folder}/localization.txt line 4: x1 (4) is not right of x0 (9)",
    ):
        assert part in lines, lines
    assert not (tmp_path / "m").exists()


def test_a_folder_without_metadata_says_what_is_missing(tmp_path):
    with pytest.raises(UserError, match="none of train, val, test holds class_labels"):
        read(tmp_path, tmp_path / "m")


def test_the_thousand_classes_in_their_order():
    classes = imagenet_classes()
    # From the README of the ILSVRC subset and from common knowledge of the list.
    for number, wnid in {0: "n01440764", 217: "n02102040", 574: "n03445777", 701: "n03888257"}.items():
        assert classes[number].key == wnid
    assert classes[0].name.startswith("tench") and len({key for _, key in classes}) == 1000


@pytest.mark.shared
def test_our_boxes_of_the_small_sets_are_the_metadatas_scaled(real_data, tmp_path):
    """cub40's boxes are the official ones scaled, to one decimal; the metadata's are whole pixels."""
    metadata = read(real_data / "wsoleval_metadata/CUB", tmp_path / "theirs")
    # The counts of their README.
    assert metadata.splits == {"train": 5694, "val": 1000, "test": 5495}
    assert len(metadata.tables.boxes) == 1000 + 5495
    theirs = metadata.split("test").annotations()
    prepare("cub", real_data / "cub40", tmp_path / "ours")
    ours = Manifest.read(tmp_path / "ours").split("test").annotations()
    shared = [image_id for image_id in ours if image_id in theirs]
    assert len(shared) == 1090
    off = []
    for image_id in shared:
        own, other = ours[image_id], theirs[image_id]
        scale = np.array([own.size[1] / other.size[1], own.size[0] / other.size[0]] * 2)
        off.append(np.abs(own.boxes - other.boxes * scale).max() / scale.max())
    # One pixel is the clip to the last one, plus the rounding to one decimal on either side.
    assert max(off) < 1.2, sorted(off)[-5:]
