from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from wsol.data.digits.tests import TESTS, digits_set, with_training
from wsol.data.layouts.digits import LAYOUT, scene_of
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_draft import ManifestDraft
from wsol.data.manifest.manifest_writing import write_manifest

COUNTS = {"train": 14, "val": 7, "images": 14}
# Of the files, and of the manifest.
DIGESTS = {
    "base": ("417a5c5f24fab27ddec498a5ba5ff16b", "fec33e86c7974555c22176070a686034"),
    "company": ("fa5173934c1c14d299e61854395bf770", "6850677bd42480484c48b0a80491e9b9"),
    "scale": ("9921afba85e2a87a7043831db817e90d", "8f571692c7153c539b99b5a0a25c5086"),
    "several": ("aa400e473b15f29e4650b74ac5956f8a", "2c416ba4efb7bbbfaddd7ec06adf1ba1"),
    "none": ("a50e2a0d1a822f0444512eef44d5df75", "9dd8c14d9d55cd96c4c21b4f35bef8a3"),
    "parts": ("2a3df9c906f6b85aaf694ad858b3b34b", "32ad395b72d2c3aea9fc0f6e02e0a4c7"),
    "context": ("4820c533cce46a8f445826833bd3a14c", "affd74f124c9dc1bd59560a069fb3b5b"),
    "base 90 4": ("d39f67e12708ad6a2bd75d04ca4844e6", "33a56a2de96de35db772b94628b21c83"),
    "company 2 1": ("1339fff8d5bd75de9f93857aae88b41b", "e4e7c00bc1b71eb02710c6dec62ca49c"),
    "scale 49": ("259c0bcb65b9194a8b22593a58651b0b", "1393da55d9fa90b2bed680a5d4922f15"),
    "several 4 touching": ("b38988f4b9cc3741def46f96afba9636", "7367137d51a8e0d5924bba7bc8912146"),
    "context 0.5 uncorrelated": ("eb6978d17166ecc541201000ac63934b", "c4f8dd9e7486ed5b3bc8b89898e0ba3b"),
}


def settings() -> list[dict[str, object]]:
    """Every test at its defaults, and what is drawn otherwise."""
    return [
        *({"test": name} for name in TESTS),
        {"test": "base", "size": 90, "distractors": 4},
        {"test": "company", "companions": 2, "seed": 1},
        {"test": "scale", "side": 49},
        {"test": "several", "instances": 4, "spacing": "touching"},
        {"test": "context", "share": 0.5, "texture": "uncorrelated"},
    ]


def called(options: dict[str, object]) -> str:
    return " ".join(map(str, options.values()))


def write(folder: Path, **options: object) -> tuple[ManifestDraft, Manifest]:
    draft = LAYOUT.read(None, LAYOUT.options(**(COUNTS | options)))
    write_manifest(folder, draft)
    return draft, Manifest.read(folder)


def file_bytes(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.png"))
    }


def pixels(path: Path | str) -> np.ndarray:
    return np.asarray(Image.open(path))


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, tuple[ManifestDraft, Manifest]]:
    folder = tmp_path_factory.mktemp("digits")
    return {called(options): write(folder / called(options), **options) for options in settings()}


@pytest.mark.parametrize("name", DIGESTS)
def test_the_bytes_are_the_same_on_every_machine(written, name):
    """Pins tables and files: a change here is another data set, and voids every record on it."""
    manifest = written[name][1]
    files = hashlib.sha256()
    for path, content in file_bytes(manifest.folder).items():
        files.update(path.encode() + content)
    assert (files.hexdigest()[:32], manifest.hash[:32]) == DIGESTS[name]


def test_every_setting_is_pinned(written):
    assert written.keys() == DIGESTS.keys()


def test_training_images_are_written_once_for_each_training_set(written):
    """By the test that a training set is named after, at its defaults."""
    with_training = {name for name, (_, manifest) in written.items() if "train" in manifest.splits}
    assert with_training == {"base", "parts", "context"}
    for name, (_, manifest) in written.items():
        expected = {"train": 14} if name in with_training else {}
        assert manifest.splits == expected | {"val": 7, "test": 14}
        assert all(not manifest.split(split).annotated for split in expected)


def test_boxes_and_masks_are_those_of_the_parts(written):
    """By OpenCV: the box of the mask; in `several`, the box around all boxes."""
    for name, (draft, manifest) in written.items():
        codes = {part: code for code, part in draft.part_names.items()}
        own = [codes[part] for part in ("object", "deciding", "rest") if part in codes]
        for image in draft.images:
            if image.split == "train":
                continue
            parts = pixels(manifest.folder / image.parts)
            assert parts.shape == image.size and set(np.unique(parts)) <= {0, *draft.part_names}
            if image.label is None:
                assert not image.boxes and not image.masks and not np.isin(parts, own).any()
                continue
            mask = pixels(manifest.folder / image.masks[0][0])
            np.testing.assert_array_equal(mask, np.isin(parts, own) * 255, err_msg=name)
            boxes = np.array([box.box for box in image.boxes if box.label == image.label])
            x, y, width, height = cv2.boundingRect(mask)
            around = [*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)]
            assert around == [x, y, x + width, y + height]


def test_each_instance_has_a_box(written):
    expected = {"company": 2, "company 2 1": 3, "several": 3, "several 4 touching": 4}
    for name, (draft, _) in written.items():
        for image in draft.images:
            if image.split != "train" and image.label is not None:
                numbers = [box.instance for box in image.boxes]
                assert numbers == list(range(expected.get(name, 1))), name


def test_companions_have_labels_of_their_own(written):
    for image in written["company 2 1"][0].images:
        labels = [box.label for box in image.boxes]
        assert labels[0] == image.label and len(set(labels)) == 3


def test_half_of_none_have_no_label(written):
    labels = written["none"][1].split("test").labels
    assert labels.tolist() == [0, -1, 1, -1, 2, -1, 3, -1, 4, -1, 5, -1, 6, -1]


@pytest.mark.parametrize("test", list(TESTS))
def test_more_images_change_none_of_the_others(written, tmp_path, test):
    few = file_bytes(written[test][1].folder)
    more = file_bytes(write(tmp_path / "m", test=test, train=17, val=9, images=20)[1].folder)
    assert len(more) > len(few)
    assert all(more[name] == content for name, content in few.items())


def test_scored_images_do_not_depend_on_the_share_of_training(written, tmp_path):
    """Without regard to the class there is no share: networks of all shares are scored on the same."""
    own = file_bytes(written["context 0.5 uncorrelated"][1].folder)
    other = write(tmp_path / "m", test="context", share=0.95, texture="uncorrelated")[1].folder
    assert own == file_bytes(other)


def test_another_share_is_another_training_set(written, tmp_path):
    own = file_bytes(written["context"][1].folder)
    other = file_bytes(write(tmp_path / "m", test="context", share=0.5)[1].folder)
    assert own["images/train/00000.png"] != other["images/train/00000.png"]


@pytest.mark.parametrize(
    ("test", "dial", "value"), [("base", "distractors", 0), ("parts", "share", 0.25)]
)
def test_taught_adds_training_images_of_the_setting(tmp_path, test, dial, value):
    scored = file_bytes(write(tmp_path / "scored", test=test, **{dial: value})[1].folder)
    folder = write(tmp_path / "taught", test=test, taught=True, **{dial: value})[1].folder
    files = file_bytes(folder)
    training = {name for name in files if "train" in name}
    assert len(training) == COUNTS["train"]
    assert {name: files[name] for name in files if name not in training} == scored
    usual = file_bytes(write(tmp_path / "usual", test=test)[1].folder)
    assert not any(files[name] == usual[name] for name in training)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_parts_are_taught_at_one_share_alone(share):
    scene, _ = scene_of(with_training(digits_set("parts", share=share)), "train", 30, 64, 0)
    edges = scene.things.edges[:, :, 1] / scene.things.edges[:, :, 2]
    assert {round(float(edge), 3) for edge in edges.ravel()} <= {share, 1 - share}
    usual, _ = scene_of(digits_set("parts"), "train", 30, 64, 0)
    assert len(set((usual.things.edges[:, :, 1] / usual.things.edges[:, :, 2]).ravel())) > 30


def test_one_digit_alone_is_all_that_a_taught_image_shows():
    scene, _ = scene_of(with_training(digits_set("base", distractors=0)), "train", 30, 64, 0)
    assert scene.things.digits.tolist() == [[[label]] for label in scene.labels]


def test_another_seed_is_another_data_set(written, tmp_path):
    own, other = written["base"][1].folder, write(tmp_path / "m", seed=1)[1].folder
    both = file_bytes(own), file_bytes(other)
    assert both[0].keys() == both[1].keys()
    assert not any(both[0][name] == both[1][name] for name in both[0])


def test_no_image_recurs_in_another_split_or_test(written):
    defaults = [file_bytes(written[test][1].folder) for test in TESTS]
    images = [
        content for files in defaults for name, content in files.items() if name.startswith("images")
    ]
    assert len(set(images)) == len(images) == 7 * 21 + 3 * 14


def test_the_manifest_says_what_was_drawn(written):
    assert written["several 4 touching"][1].drawn == {
        "by": "digits 1",
        "test": "several",
        "options": {"instances": 4, "spacing": "touching"},
        "training": {"set": "base"},
        "size": 64,
        "seed": 0,
    }
    assert written["context 0.5 uncorrelated"][1].drawn["training"] == {"set": "context", "share": 0.5}


@pytest.mark.parametrize("test", list(TESTS))
def test_a_split_may_be_empty(tmp_path, test):
    assert write(tmp_path / "m", test=test, train=0, val=0, images=3)[1].splits == {"test": 3}
