from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from wsol.data.layouts.imagenetv2 import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare
from wsol.errors import UserError


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (500, 375)).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two images of class 0 and one of class 217, where wsolevaluation's script puts them."""
    for name in ("0/0.jpeg", "0/1.jpeg", "217/0.jpeg"):
        picture(tmp_path / "val2" / name)
    metadata = tmp_path / "metadata"
    metadata.mkdir()
    (metadata / "localization.txt").write_text(
        "val2/0/0.jpeg,156,163,318,230\nval2/0/1.jpeg,0,0,499,374\nval2/0/1.jpeg,5,6,7,8\n"
        "val2/217/0.jpeg,1,2,3,4"
    )
    return tmp_path


def read(root: Path, **options: object) -> Manifest:
    prepare("imagenetv2", root, root / "manifest", options=LAYOUT.options(**options))
    return Manifest.read(root / "manifest")


def test_boxes_of_the_metadata_are_inclusive(root):
    manifest = read(root, metadata=root / "metadata")
    val = manifest.split("val")
    assert val.image_ids == ["val2/0/0", "val2/0/1", "val2/217/0"]
    assert [val.class_keys[label] for label in val.labels] == ["n01440764", "n01440764", "n02102040"]
    found = val.annotations()
    assert found["val2/0/1"].boxes.tolist() == [[0, 0, 500, 375], [5, 6, 8, 9]]
    assert found["val2/0/1"].source_boxes.tolist() == [[0, 0, 499, 374], [5, 6, 7, 8]]
    assert "3 of 10000 val images" in manifest.info["subset"]


def test_the_releases_own_table_and_files_named_by_a_hash(tmp_path):
    for name in ("0/aaff.jpeg", "1/bbee.jpeg"):
        picture(tmp_path / "imagenetv2-threshold0.7-format-val" / name)
    metadata = tmp_path / "boxes"
    metadata.mkdir()
    (metadata / "ImageNetV2_boxes.txt").write_text("image_id,x0,y0,x1,y1\n0/3.jpeg,158,290,500,375\n")
    (metadata / "mapping.txt").write_text("0/3.jpeg, 0/aaff.jpeg\n1/0.jpeg, 1/bbee.jpeg\n")
    manifest = read(tmp_path, metadata=metadata)
    found = manifest.split("val").annotations()
    assert list(found) == ["val2/0/3", "val2/1/0"]
    # The release's x1 may be the width itself: clipped to the image, and to its last pixel for choe2020.
    assert found["val2/0/3"].boxes.tolist() == [[158, 290, 500, 375]]
    assert found["val2/0/3"].source_boxes.tolist() == [[158, 290, 499, 374]]
    assert any("1 ImageNetV2 images have no box" in note for note in manifest.info["notes"])


def test_images_without_any_boxes_are_a_val_without_boxes(root):
    manifest = read(root)
    assert not manifest.split("val").annotated
    assert any("has no boxes of ImageNetV2" in note for note in manifest.info["notes"])


def test_findings_name_the_line(root):
    (root / "metadata/localization.txt").write_text("val2/0/0.jpeg,1,2,3\nval2/0/1.jpeg,a,2,3,4\n")
    with pytest.raises(UserError) as caught:
        read(root, metadata=root / "metadata")
    first, second = str(caught.value).splitlines()
    assert first.endswith(
        "localization.txt line 1: 3 values after 'val2/0/0.jpeg' where there should be 4"
    )
    assert "line 2: 'a 2 3 4' are not 4 numbers" in second


def test_names_of_nothing_in_either_table_are_findings(root):
    (root / "metadata/localization.txt").write_text(".,1,2,3,4\n")
    (root / "metadata/mapping.txt").write_text(",0/abc.jpg\n0/1.jpeg\n")
    with pytest.raises(UserError) as caught:
        read(root, metadata=root / "metadata")
    assert [line.removeprefix(f"{root}/metadata/") for line in str(caught.value).splitlines()] == [
        "localization.txt line 1: image '.' names nothing",
        "mapping.txt line 1: no image",
        "mapping.txt line 2: not two names",
    ]


def test_a_class_folder_with_leading_zeros_is_read_where_it_is(tmp_path):
    picture(tmp_path / "v2/0012/0.jpeg")
    (tmp_path / "v2/localization.txt").write_text("val2/12/0.jpeg,1,2,3,4\n")
    val = read(tmp_path / "v2").split("val")
    assert val.image_ids == ["val2/12/0"] and val.labels.tolist() == [12]
    assert val.paths == [f"{tmp_path}/v2/0012/0.jpeg"] and Path(val.paths[0]).is_file()
    assert val.annotations()["val2/12/0"].boxes.tolist() == [[1, 2, 4, 5]]


def test_it_is_the_val_of_imagenet_where_it_lies_beside(tmp_path):
    base = tmp_path / "ILSVRC"
    for key in ("n01440764", "n02102040"):
        for number in range(4):
            picture(base / f"Data/CLS-LOC/train/{key}/{key}_{number}.JPEG")
    for name in ("0/0.jpeg", "217/0.jpeg", "5/0.jpeg"):  # class 5 is not in this train
        picture(base / "val2" / name)
    (base / "val2/localization.txt").write_text("val2/0/0.jpeg,1,2,3,4\nval2/217/0.jpeg,5,6,7,8\n")
    prepare("imagenet", tmp_path, tmp_path / "manifest")
    manifest = Manifest.read(tmp_path / "manifest")
    assert manifest.splits == {"train": 8, "val": 2} and manifest.info["val_fold"] == {}
    val = manifest.split("val")
    assert val.labels.tolist() == [0, 1] and val.class_keys == ["n01440764", "n02102040"]
    assert val.annotations()["val2/217/0"].boxes.tolist() == [[5, 6, 8, 9]]
    assert val.paths[0] == (base / "val2/0/0.jpeg").as_posix()


def test_another_layout_is_refused(tmp_path):
    with pytest.raises(UserError, match="no ImageNetV2 there"):
        read(tmp_path)
