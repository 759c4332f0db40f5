"""Folds: every image left out once, no picture on both sides, classes shared out evenly."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare
from wsol.data.splits.folds import fold_numbers, folds
from wsol.errors import UserError

# Two folders of nine and six images; these three files are one picture.
SAME = {"Car100/3", "Car100/7", "Horse100/2"}


@pytest.fixture
def manifest(tmp_path) -> Manifest:
    levels = iter(range(20))
    for name, count in (("Car100", 9), ("Horse100", 6)):
        folder = tmp_path / "Data" / name
        (folder / "GroundTruth").mkdir(parents=True)
        for number in range(count):
            level = 250 if f"{name}/{number}" in SAME else 10 * next(levels)
            Image.new("RGB", (8, 8), (level, level, level)).save(folder / f"{number}.jpg")
            Image.new("L", (8, 8)).save(folder / "GroundTruth" / f"{number}.png")
    prepare("object_discovery", tmp_path, tmp_path / "manifest")
    return Manifest.read(tmp_path / "manifest")


def test_every_image_is_held_out_once_and_no_picture_is_on_both_sides(manifest):
    cut = folds(manifest, 5)
    everything = sorted(manifest.split("test").image_ids)
    assert sorted(image_id for fold in cut for image_id in fold.held_out.image_ids) == everything
    for fold in cut:
        assert sorted(fold.training.image_ids + fold.held_out.image_ids) == everything
        assert SAME & set(fold.held_out.image_ids) in (set(), SAME)


def test_classes_are_shared_out_evenly_and_the_listing_order_does_not_matter():
    ids = [f"i{number}" for number in range(25)]
    labels = np.array([0] * 10 + [1] * 15)
    numbers = fold_numbers(ids, labels, np.arange(25), 5)
    assert [np.bincount(labels[numbers == fold]).tolist() for fold in range(5)] == [[2, 3]] * 5
    order = np.random.default_rng(1).permutation(25)
    again = fold_numbers([ids[k] for k in order], labels[order], np.arange(25)[order], 5)
    assert (again == numbers[order]).all()


@pytest.mark.parametrize("count", [1, 4])
def test_too_few_or_too_many_folds_are_refused(count):
    with pytest.raises(UserError, match=rf"training\.folds is {count}: from 2 to 3"):
        fold_numbers(list("abcd"), np.zeros(4, int), np.array([0, 1, 1, 2]), count)


def test_a_train_split_is_to_be_trained_on(manifest):
    path = manifest.folder / "images.csv"
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    rows[1][-1] = "train"
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    info = manifest.folder / "manifest.json"
    info.write_text(info.read_text().replace('"hash"', '"old_hash"'))
    with pytest.raises(UserError, match="has a train split"):
        folds(Manifest.read(manifest.folder), 3)
