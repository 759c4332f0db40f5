from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from wsol.data.layouts.clutter import LAYOUT, SPLITS, Draws, draw_image, enlarge, sources
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_writing import write_manifest
from wsol.errors import UserError


def make(folder: Path, **options: object) -> Manifest:
    counts = {"train": 20, "val": 10, "test": 20}
    write_manifest(folder, LAYOUT.read(None, LAYOUT.options(**(counts | options))))
    return Manifest.read(folder)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Manifest:
    return make(tmp_path_factory.mktemp("clutter") / "m")


def file_bytes(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.png"))
    }


def test_the_bytes_are_the_same_on_every_machine(small):
    """Pins tables and files: a change here is another data set, and voids every record on it."""
    files = hashlib.sha256()
    for name, content in file_bytes(small.folder).items():
        files.update(name.encode() + content)
    assert small.hash == "8fe312cc5488b6d5f9cfbd4dcad191cf4a9f256beceddc168696592981d9a263"
    assert files.hexdigest() == "9f118f1d574fea2ff85e3a1e5bde355074f99ac0518cfc9491f5a6fc306731bf"


def test_splits_and_labels(small):
    assert small.splits == {"train": 20, "val": 10, "test": 20}
    assert small.split("test").labels.tolist() == [*range(10), *range(10)]
    assert not small.split("train").annotated
    assert small.root == small.folder.resolve()


def test_boxes_are_the_tightest_around_the_masks(small):
    for annotation in small.split("test").annotations().values():
        mask = np.asarray(Image.open(annotation.masks[0]))
        assert set(np.unique(mask)) == {0, 255} and mask.shape == annotation.size == (64, 64)
        x, y, width, height = cv2.boundingRect(mask)
        np.testing.assert_array_equal(annotation.boxes, [[x, y, x + width, y + height]])


def test_no_handwritten_sample_serves_two_splits():
    parts = [set(np.concatenate(source.by_class).tolist()) for source in sources(0)]
    assert [len(part) for part in parts] == [1078, 179, 540]
    assert set.union(*parts) == set(range(1797))
    assert sum(map(len, parts)) == 1797


def test_the_samples_are_of_their_class():
    from sklearn.datasets import load_digits

    targets = load_digits().target
    for source in sources(3):
        for digit, samples in enumerate(source.by_class):
            assert set(targets[samples]) == {digit}


def test_enlarging_is_bilinear():
    digit = np.random.default_rng(0).integers(0, 17, (8, 8))
    for side in (20, 33, 64):
        expected = cv2.resize(digit * 16.0, (side, side), interpolation=cv2.INTER_LINEAR)
        found = enlarge(digit, side)
        assert np.abs(found - expected).max() <= 1  # rounded down to whole numbers
        assert (found <= expected + 1e-9).all()


def test_the_digit_lies_on_top_of_the_fragments():
    """Where the ink is full, the pixels are the digit's own, whatever is below."""
    source = sources(0)[2]
    for seed in range(20):
        pixels, mask = draw_image(source, seed % 10, 64, Draws(seed))
        assert pixels.dtype == np.uint8 and mask[pixels > 0].size
        assert pixels[mask > 0].mean() > pixels[mask == 0].mean()


def test_more_images_change_none_of_the_others(small, tmp_path):
    more = file_bytes(make(tmp_path / "m", test=25, train=0).folder)
    few = file_bytes(small.folder)
    shared = few.keys() & more.keys()
    assert len(shared) == 2 * (10 + 20)
    assert all(few[name] == more[name] for name in shared)


def test_another_seed_is_another_data_set(small, tmp_path):
    assert make(tmp_path / "m", seed=1).hash != small.hash


def test_size_scales_the_picture(tmp_path):
    manifest = make(tmp_path / "m", size=128, train=0, val=0, test=10)
    boxes = np.concatenate([item.boxes for item in manifest.split("test").annotations().values()])
    assert manifest.split("test").sizes.tolist() == [[128, 128]] * 10
    heights = boxes[:, 3] - boxes[:, 1]
    assert heights.min() >= 42 and heights.max() <= 80


def test_raw_draws_are_even_and_within_their_range():
    draws = Draws(5)
    drawn = [draws.between(3, 6) for _ in range(4000)]
    assert set(drawn) == {3, 4, 5, 6}
    assert max(abs(drawn.count(value) - 1000) for value in (3, 4, 5, 6)) < 120  # four sigma


def test_pcg64_words_are_those_of_its_reference():
    """NumPy promises this stream; the numbers are of PCG64 with SeedSequence(0)."""
    assert np.random.PCG64(np.random.SeedSequence([0])).random_raw() == 11749869230777074271


@pytest.mark.parametrize("options", [{"size": 16}, {"size": 513}, {"train": -1}, {"seed": -1}])
def test_impossible_options_are_refused(tmp_path, options):
    with pytest.raises(UserError):
        make(tmp_path / "m", **options)
    assert not (tmp_path / "m").exists()


def test_split_names_are_the_manifests():
    assert SPLITS == ("train", "val", "test")
