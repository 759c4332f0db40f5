from __future__ import annotations

import shutil
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wsol.data.loading import decoded
from wsol.data.loading.loader import Batch, eval_loader, train_loader
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_draft import DraftBox, DraftClass, DraftImage, ManifestDraft
from wsol.data.manifest.manifest_writing import write_manifest
from wsol.errors import UserError
from wsol.recipe import Recipe

TRAIN, TEST = 11, 7


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> Manifest:
    folder = tmp_path_factory.mktemp("loader")
    random = np.random.default_rng(0)
    images = []
    for number in range(TRAIN + TEST):
        split = "train" if number < TRAIN else "test"
        pixels = random.integers(0, 256, (20 + number, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        corners = (1.0, 1.0, 9.0, 9.0)
        boxes = (DraftBox(corners, corners, ""),) if split == "test" else ()
        images.append(DraftImage(f"i{number}", f"{number}.png", number % 2, split, boxes))
    classes = [DraftClass("even", "0"), DraftClass("odd", "1")]
    write_manifest(folder / "m", ManifestDraft("mine", "mine", "1", folder, classes, images))
    return Manifest.read(folder / "m")


def recipe(**settings: object) -> Recipe:
    made = Recipe().changed(
        data={"resize_size": 20, "input_size": 16},
        training={"batch_size": 4},
        evaluation={"batch_size": 4},
        how={"workers": 0, "device": "cpu"},
    )
    for name, value in settings.items():
        part, _, field = name.partition("_")
        made = made.changed(**{part: {field: value}})
    return made


def epoch(manifest: Manifest, number: int = 0, rank: int = 0, world: int = 1, **settings) -> list[Batch]:
    made = recipe(**settings)
    return list(train_loader(manifest.split("train"), made, epoch=number, rank=rank, world_size=world))


def ids(batches: list[Batch]) -> list[str]:
    return [image_id for batch in batches for image_id in batch.image_ids[: batch.real]]


def images(batches: list[Batch]) -> dict[str, torch.Tensor]:
    pairs = zip(ids(batches), (image for batch in batches for image in batch.images), strict=True)
    return dict(pairs)


def test_an_epoch_is_every_image_once_in_another_order_each_time(manifest):
    first, second = epoch(manifest, 0), epoch(manifest, 1)
    assert sorted(ids(first)) == sorted(ids(second)) == sorted(f"i{n}" for n in range(TRAIN))
    assert ids(first) != ids(second)
    assert [len(batch.labels) for batch in first] == [4, 4, 3]
    assert first[0].images.shape == (4, 3, 16, 16) and first[0].images.dtype == torch.float32
    for batch in first:
        expected = [int(image_id[1:]) % 2 for image_id in batch.image_ids]
        assert batch.labels.tolist() == expected and batch.real == len(batch.labels)


def test_the_same_epoch_is_the_same_bit_for_bit_with_any_workers_kept_or_not(manifest, monkeypatch):
    kept = epoch(manifest, 3)
    again = epoch(manifest, 3)
    monkeypatch.setattr(decoded, "MEMORY_LIMIT", 0)
    read_anew = epoch(manifest, 3)
    with_workers = epoch(manifest, 3, how_workers=2)
    for other in (again, read_anew, with_workers):
        assert ids(other) == ids(kept)
        assert all(torch.equal(a.images, b.images) for a, b in zip(kept, other, strict=True))


def test_another_seed_or_epoch_crops_elsewhere(manifest):
    kept, other = images(epoch(manifest, 0)), images(epoch(manifest, 1))
    assert sum(torch.equal(kept[name], other[name]) for name in kept) < len(kept) / 2
    made = recipe().changed(seed=1)
    seeded = images(list(train_loader(manifest.split("train"), made, epoch=0)))
    assert sum(torch.equal(kept[name], seeded[name]) for name in kept) < len(kept) / 2


def test_without_crop_and_flip_training_pixels_are_the_squashed_image(manifest):
    batches = epoch(manifest, data_resize_size=16, data_flip=False)
    split = manifest.split("train")
    for image_id, image in images(batches).items():
        path = split.paths[split.image_ids.index(image_id)]
        pixels = np.asarray(Image.open(path).resize((16, 16), Image.Resampling.BILINEAR)) / 255
        expected = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        np.testing.assert_allclose(image.numpy(), expected.transpose(2, 0, 1), atol=1e-5)


def test_ranks_share_an_epoch_evenly_and_never_overlap(manifest):
    parts = [epoch(manifest, 2, rank=rank, world=3) for rank in range(3)]
    names = [ids(part) for part in parts]
    assert [len(part) for part in names] == [3, 3, 3]  # 11 images: two are left out this time
    assert len(set(chain(*names))) == 9
    whole = images(epoch(manifest, 2))
    for name, image in images(parts[1]).items():
        assert torch.equal(image, whole[name])  # the pixels do not depend on the rank


def test_a_last_batch_of_one_image_is_left_out(manifest):
    assert [len(batch.labels) for batch in epoch(manifest, training_batch_size=5)] == [5, 5]
    assert [len(batch.labels) for batch in epoch(manifest, training_batch_size=1)][:2] == [1, 1]


def test_images_per_class_takes_the_first(manifest):
    assert sorted(ids(epoch(manifest, training_images_per_class=2))) == ["i0", "i1", "i2", "i3"]


def test_evaluation_keeps_the_order_and_pads_the_last_batch(manifest):
    loader = eval_loader(manifest.split("test"), recipe())
    batches = list(loader)
    assert len(loader) == 2 and [batch.real for batch in batches] == [4, 3]
    assert [len(batch.images) for batch in batches] == [4, 4]
    assert ids(batches) == manifest.split("test").image_ids
    assert torch.equal(batches[1].images[3], batches[1].images[2])
    assert batches[1].indices.tolist() == [4, 5, 6, 6]


def test_ranks_evaluate_each_image_once(manifest):
    split = manifest.split("test")
    for world in (1, 2, 3, 9):
        parts = [
            list(eval_loader(split, recipe(), rank=rank, world_size=world)) for rank in range(world)
        ]
        names = [ids(part) for part in parts]
        assert sorted(chain(*names)) == sorted(split.image_ids)
        assert names[0] == split.image_ids[::world]


def damaged(tmp_path: Path) -> Manifest:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    for name in "ab":
        Image.fromarray(pixels).save(tmp_path / f"{name}.jpg")
    listed = [DraftImage(name, f"{name}.jpg", None, "train") for name in "ab"]
    write_manifest(tmp_path / "m", ManifestDraft("mine", "mine", "1", tmp_path, [], listed))
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-100])
    return Manifest.read(tmp_path / "m")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_damaged_image_is_one_line_also_from_a_worker(tmp_path, workers):
    split = damaged(tmp_path).split("train")
    with pytest.raises(UserError) as caught:
        list(eval_loader(split, recipe(how_workers=workers)))
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{tmp_path}/a.jpg: damaged image")


def test_padding_does_not_repeat_what_is_wrong(tmp_path):
    split = damaged(tmp_path).split("train")
    shutil.copy(tmp_path / "a.jpg", tmp_path / "b.jpg")
    with pytest.raises(UserError) as caught:
        list(eval_loader(split, recipe(evaluation_batch_size=8)))
    assert [line.split(":")[0][-5:] for line in str(caught.value).splitlines()] == ["a.jpg", "b.jpg"]


def test_what_has_no_label_cannot_be_trained_on(tmp_path):
    with pytest.raises(UserError, match="a has no label"):
        train_loader(damaged(tmp_path).split("train"), recipe(), epoch=0)


def test_a_file_that_went_away_is_named(manifest, tmp_path):
    split = damaged(tmp_path).split("train")
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(UserError, match=r"a.jpg: missing"):
        list(eval_loader(split, recipe()))
