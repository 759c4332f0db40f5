from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.layouts.openimages import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare
from wsol.errors import UserError

ROWS = {
    "train": ("train/0c/t.jpg,0", ""),
    "test": (
        "test/0c/a.jpg,0\ntest/0d/b.jpg,1",
        "test/0c/a.jpg,test/0c/a_m0c_1.png,test/0c/a_ignore.png\n"
        "test/0c/a.jpg,test/0c/a_m0c_2.png,test/0c/a_ignore.png\n"
        "test/0d/b.jpg,test/0d/b_m0d_1.png,",
    ),
}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """One train image, two of test: the first with two instances and an ignore mask."""
    for split, (labels, localization) in ROWS.items():
        folder = tmp_path / "metadata" / split
        folder.mkdir(parents=True)
        (folder / "class_labels.txt").write_text(labels)
        (folder / "image_ids.txt").write_text("\n".join(row.split(",")[0] for row in labels.split()))
        (folder / "image_sizes.txt").write_text("")
        (folder / "localization.txt").write_text(localization)
        names = [cell for row in localization.split() for cell in row.split(",")[1:] if cell]
        for name in [row.split(",")[0] for row in labels.split()] + names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.eye(10, 20, dtype=np.uint8) * 255).save(tmp_path / name)
    return tmp_path


def read(root: Path, **options: object) -> Manifest:
    prepare("openimages", root, root / "manifest", options=LAYOUT.options(**options))
    return Manifest.read(root / "manifest")


def test_masks_of_instances_and_what_is_ignored(release):
    manifest = read(release)
    assert manifest.splits == {"test": 2, "train": 1} and manifest.class_keys == ["0c", "0d"]
    found = manifest.split("test").annotations()
    names = {
        key: [Path(path).name for path in (*item.masks, *item.ignore)] for key, item in found.items()
    }
    assert names == {
        "test/0c/a": ["a_m0c_1.png", "a_m0c_2.png", "a_ignore.png"],
        "test/0d/b": ["b_m0d_1.png"],
    }
    assert "1 of 29819 train images" in manifest.info["subset"]


def test_no_mask_at_all_is_a_subset_and_one_missing_an_error(release):
    (release / "test/0c/a_m0c_2.png").unlink()
    with pytest.raises(
        UserError, match=r"a_m0c_2\.png: no such mask, which .*class_labels\.txt line 1 names"
    ):
        read(release)
    for path in release.rglob("*.png"):
        path.unlink()
    manifest = read(release)
    assert not manifest.split("test").annotated
    assert any("no mask file is there" in note for note in manifest.info["notes"])


def test_train_can_be_thinned(release):
    labels = "\n".join(f"train/0c/t{n}.jpg,0" for n in range(5))
    (release / "metadata/train/class_labels.txt").write_text(labels)
    (release / "metadata/train/image_ids.txt").write_text(labels.replace(",0", ""))
    for n in range(5):
        (release / f"train/0c/t{n}.jpg").write_bytes((release / "train/0c/t.jpg").read_bytes())
    assert read(release, per_class=2).splits == {"test": 2, "train": 2}


def test_an_image_in_the_folder_of_another_class(release):
    path = release / "metadata/test/class_labels.txt"
    path.write_text("test/0c/a.jpg,0\ntest/0d/b.jpg,0")
    with pytest.raises(UserError, match="line 2: class 0 is 0c elsewhere, but"):
        read(release)


def test_metadata_must_be_found(tmp_path):
    with pytest.raises(UserError, match="no metadata there"):
        prepare("openimages", tmp_path, tmp_path / "m", options=LAYOUT.options())
