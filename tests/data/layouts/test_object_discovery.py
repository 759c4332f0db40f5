from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.layouts.object_discovery import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare
from wsol.errors import UserError
from wsol.files.pictures.images import open_mask


def pair(folder: Path, name: str, mask: np.ndarray | None) -> None:
    (folder / "GroundTruth").mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 10)).save(folder / f"{name}.jpg")
    if mask is not None:
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"GroundTruth/{name}.png")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Two classes: a 100-image set each, and the full set of cars, of which one image has a mask."""
    inside, empty = np.eye(10, 20, dtype=bool), np.zeros((10, 20), bool)
    pair(tmp_path / "Data/Car100", "0001", inside)
    pair(tmp_path / "Data/Car100", "0002", empty)
    pair(tmp_path / "Data/Horse100", "0001", inside)
    pair(tmp_path / "Data/Car", "0001", inside)
    pair(tmp_path / "Data/Car", "0002", None)
    pair(tmp_path / "Data/Car", "0003", None)
    return tmp_path


def read(root: Path, **options: object) -> Manifest:
    prepare("object_discovery", root, root / "manifest", options=LAYOUT.options(**options))
    return Manifest.read(root / "manifest")


def test_the_hundred_image_sets_with_their_noise(release):
    manifest = read(release)
    assert manifest.class_keys == ["Car", "Horse"] and manifest.splits == {"test": 3}
    test = manifest.split("test")
    assert test.image_ids == ["Car100/0001", "Car100/0002", "Horse100/0001"]
    assert test.labels.tolist() == [0, 0, 1]
    found = test.annotations()
    np.testing.assert_array_equal(open_mask(found["Car100/0001"].masks[0]), np.eye(10, 20, dtype=bool))
    assert not open_mask(found["Car100/0002"].masks[0]).any()  # noise: its class is not on it
    assert "3 of 300 test images" in manifest.info["subset"]


def test_the_full_sets_train_on_what_has_no_mask(release):
    manifest = read(release, sets="full")
    assert manifest.splits == {"test": 1, "train": 2}
    assert manifest.split("train").image_ids == ["Car/0002", "Car/0003"]
    assert read(release, sets="full", per_class=1).splits == {"test": 1, "train": 1}


def test_a_mask_of_another_size_and_a_broken_one(release):
    Image.new("L", (5, 5)).save(release / "Data/Car100/GroundTruth/0001.png")
    (release / "Data/Horse100/GroundTruth/0001.png").write_bytes(b"")
    with pytest.raises(UserError) as caught:
        read(release)
    first, second = str(caught.value).splitlines()
    assert (
        "Car100/GroundTruth/0001.png: mask of 5 x 5 pixels, but Data/Car100/0001.jpg has 20 x 10"
        in first
    )
    assert "Horse100/GroundTruth/0001.png: empty file" in second
    assert not (release / "manifest").exists()


def test_a_set_that_is_called_by_its_number_alone_keeps_its_name(tmp_path):
    pair(tmp_path / "Data/100", "0001", np.eye(10, 20, dtype=bool))
    assert read(tmp_path).class_keys == ["100"]


def test_another_layout_is_refused(tmp_path):
    with pytest.raises(UserError, match="no Object Discovery there"):
        read(tmp_path)


@pytest.mark.shared
def test_the_stand_in_has_the_counts_of_its_readme(real_data, tmp_path):
    prepare("object_discovery", real_data / "object_discovery_standin", tmp_path / "m")
    manifest = Manifest.read(tmp_path / "m")
    test = manifest.split("test")
    counts = dict(zip(manifest.class_keys, np.bincount(test.labels).tolist(), strict=True))
    assert counts == {"Airplane": 76, "Car": 73, "Horse": 50}
    noise = [name for name, item in test.annotations().items() if not open_mask(item.masks[0]).any()]
    assert len(noise) == 30 and {"Airplane100/0004", "Car100/0012", "Horse100/0001"} <= set(noise)
