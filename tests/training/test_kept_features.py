"""Heads that train on features computed once: as if the network had been asked each time."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from wsol.attention.contract import INPUT
from wsol.data.loading.loader import eval_loader, train_loader
from wsol.errors import UserError
from wsol.methods.build import build_method
from wsol.methods.cam import CAM
from wsol.models.factory import build_localizer
from wsol.recipe import AttentionSettings, BackboneSettings, EvaluationSettings
from wsol.training import kept_features
from wsol.training.cacheable import refuse_uncacheable
from wsol.training.run_folder import training_id


def assert_close(first, second, precision="32-true"):
    """Equal up to rounding: a matrix product may round an image by its place in the batch."""
    assert first.keys() == second.keys()
    for name, value in first.items():
        atol = 1e-2 if precision == "bf16-mixed" else 1e-5
        torch.testing.assert_close(
            second[name], value, rtol=0, atol=atol, msg=lambda text, at=name: f"{at}: {text}"
        )


@pytest.mark.parametrize("batch", [10, 8])  # of 20 images: the last batch is whole, or smaller
@pytest.mark.parametrize("method", ["cam", "acol"])
def test_cached_equals_uncached(state, run, frozen_of, tiny_split, tmp_path, method, batch):
    logs, states = [], []
    for cached in (False, True):
        recipe = frozen_of(
            method, {"width": 8} if method == "acol" else {}, batch_size=batch, cache_features=cached
        )
        folder, log = run(recipe, tiny_split, tmp_path / f"runs{cached}" / "one")
        states.append(state(folder))
        logs.append([{key: float(row[key] or 0) for key in row if "second" not in key} for row in log])
    assert_close(*states)
    assert logs[1] == [pytest.approx(row, abs=1e-4) for row in logs[0]]


def test_a_resumed_cached_run_equals_an_uninterrupted_one(
    state, run, equal, interrupt_after, frozen_of, tiny_split, tmp_path, monkeypatch
):
    recipe = frozen_of(epochs=3, cache_features=True)
    whole, _ = run(recipe, tiny_split, tmp_path / "a" / "whole")
    with monkeypatch.context() as patch:
        interrupt_after(patch, "finish_epoch")
        with pytest.raises(KeyboardInterrupt):
            run(recipe, tiny_split, tmp_path / "b" / "cut")
    cut, _ = run(recipe, tiny_split, tmp_path / "b" / "cut")
    assert equal(state(whole), state(cut))


def test_features_are_computed_once_for_all_heads(run, frozen_of, tiny_split, tmp_path, monkeypatch):
    calls = []
    compute = kept_features._compute
    monkeypatch.setattr(kept_features, "_compute", lambda *given: (calls.append(1), compute(*given)))
    first = frozen_of(cache_features=True)
    run(first, tiny_split, tmp_path / "runs" / "one")
    run(frozen_of(cache_features=True, lr=0.01), tiny_split, tmp_path / "runs" / "two")
    run(frozen_of("acol", {"width": 4}, cache_features=True), tiny_split, tmp_path / "runs" / "three")
    assert len(calls) == 1
    # Another network, other pixels: other features.
    run(dataclasses.replace(first, seed=4), tiny_split, tmp_path / "runs" / "four")
    weights = dataclasses.replace(first.weights, mean=(0.0, 0.0, 0.0))
    run(dataclasses.replace(first, weights=weights), tiny_split, tmp_path / "runs" / "five")
    assert len(calls) == 3
    assert len(list((tmp_path / "runs" / "features").iterdir())) == 3
    for path in (tmp_path / "runs" / "features").iterdir():  # damaged: made anew
        path.write_bytes(path.read_bytes()[:50])
    run(first, tiny_split, tmp_path / "runs" / "six")
    assert len(calls) == 4


@pytest.mark.parametrize("limit", [0, 2**30])
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_what_is_kept_is_what_the_network_makes(
    state, run, start, frozen_of, tiny_split, tmp_path, monkeypatch, limit, precision
):
    monkeypatch.setattr(kept_features, "MEMORY_LIMIT", limit)
    recipe = frozen_of(cache_features=True, epochs=1, precision=precision)
    folder, _ = run(recipe, tiny_split, tmp_path / "runs" / "one")
    path = next((folder.parent / "features").iterdir())
    kept = kept_features.KeptFeatures(tiny_split, np.load(path, mmap_mode="r"), recipe)
    assert isinstance(kept.values, np.memmap) == (limit == 0)
    network = start(recipe, tiny_split).eval()
    network.load_state_dict({name[10:]: one for name, one in state(folder).items()})
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision != "32-true"):
        wanted = torch.cat(
            [network.backbone(batch.images)[: batch.real] for batch in eval_loader(tiny_split, recipe)]
        )
    found = kept.of(range(20))
    assert found.dtype == wanted.dtype
    assert torch.equal(found, wanted)
    batches = list(kept.train_loader(epoch=1))
    for own, other in zip(batches, train_loader(tiny_split, recipe, epoch=1), strict=True):
        assert own.image_ids == other.image_ids and torch.equal(own.labels, other.labels)
        assert torch.equal(own.images, wanted[own.indices])


class Repeats(CAM):
    """A step of its own, which may do anything."""

    def step(self, images, labels, turn):
        return super().step(images.flip(-1), labels, turn)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"training": {"freeze": ""}}, "set training.freeze backbone"),
        ({"training": {"head_from": "stage2"}}, "leave out training.head_from"),
        ({"data": {"flip": True}}, "data.resize_size 32 .* and data.flip false"),
        ({"data": {"resize_size": 40}}, "data.resize_size 32 .* and data.flip false"),
        ({"method": {"name": "has"}}, "method has changes the images"),
        ({"method": {"name": "cutmix"}}, "method cutmix changes the images"),
        ({"method": {"name": "spg"}}, "asks the network for more than its last features"),
        ({"method": {"name": "dreal"}, "attention": {"name": "se"}}, "more than its last features"),
        ({"method": {"name": "test_kept_features:Repeats"}}, "does not say from_features = True"),
        ({"attention": {"name": "se"}}, "attention at stage1.*stage2.* before its last features"),
        ({"attention": {"name": "rfga", "at": ["stage1"]}}, "attention at stage1 is trained inside"),
        ({"attention": {"name": "stn", "at": [INPUT]}}, "attention at input is trained inside"),
        ({"attention": {"name": "tdam", "at": ["stage2"]}}, "attention at stage2.* is trained inside"),
        ({"attention": {"name": "ltpa", "at": ["stage1", "stage2"]}}, "the head reads stage1 too"),
    ],
)
def test_what_cannot_be_cached_is_refused_in_one_line(change, said, frozen_of, monkeypatch):
    monkeypatch.syspath_prepend(__file__.rpartition("/")[0])
    recipe = frozen_of(cache_features=True).changed(**change)
    method = build_method(recipe, build_localizer(recipe, 3))
    with pytest.raises(UserError, match=said) as caught:
        refuse_uncacheable(recipe, method)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("training.cache_features: ")


@pytest.mark.parametrize("attention", [("rfga", ["stage2"]), ("ltpa", ["stage2"])])
def test_attention_behind_the_features_can_be_cached(
    state, run, frozen_of, tiny_split, tmp_path, attention
):
    states = []
    for cached in (False, True):
        recipe = dataclasses.replace(
            frozen_of(batch_size=10, cache_features=cached), attention=AttentionSettings(*attention)
        )
        folder, _ = run(recipe, tiny_split, tmp_path / f"runs{cached}" / "one")
        states.append(state(folder))
    assert_close(*states)


@pytest.mark.parametrize("method", ["trilite", "ts_cam", "cam"])
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_class_tokens_are_kept_too(state, run, frozen_of, tiny_split, tmp_path, method, precision):
    network = {"depth": 2, "embed_dim": 24, "num_heads": 3, "patch_size": 8}
    states = []
    for cached in (False, True):
        recipe = dataclasses.replace(
            frozen_of(method, batch_size=10, cache_features=cached, precision=precision),
            backbone=BackboneSettings("vit_small_patch16_224", options=network),
            evaluation=EvaluationSettings(maps=["attention" if method == "trilite" else "cam"]),
        )
        folder, _ = run(recipe, tiny_split, tmp_path / f"runs{cached}" / "one")
        states.append(state(folder))
    assert_close(*states, precision)


def test_nothing_is_written_where_it_is_refused(run, frozen_of, tiny_split, tmp_path):
    recipe = frozen_of(cache_features=True).changed(training={"freeze": ""})
    with pytest.raises(UserError):
        run(recipe, tiny_split, tmp_path / "runs" / "one")
    assert not (tmp_path / "runs").exists()


def test_a_disk_that_is_too_small_is_told(run, frozen_of, tiny_split, tmp_path, monkeypatch):
    class Usage:
        free = 1000

    monkeypatch.setattr(kept_features.shutil, "disk_usage", lambda path: Usage)
    with pytest.raises(UserError, match=r"the features of 20 images take .* GB are free: make room"):
        run(frozen_of(cache_features=True), tiny_split, tmp_path / "runs" / "one")
    assert list((tmp_path / "runs" / "features").iterdir()) == []


def test_freezing_is_what_was_trained_and_caching_is_how(frozen_of, recipe_of):
    plain, frozen, cached = recipe_of(), frozen_of(), frozen_of(cache_features=True)
    assert "freeze" not in plain.what()["training"]
    assert frozen.what()["training"]["freeze"] == "backbone"
    assert training_id(frozen, "0f") == training_id(cached, "0f")
    assert cached.how_part()["training"] == {"cache_features": True}
