"""Run folders: identity, weights of another model, progress."""

import json
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from wsol.errors import UserError
from wsol.recipe import Recipe
from wsol.training.run_folder import RunFolder, run_name, training_id

PROGRESS = {
    "epochs": 2,
    "log": [{"loss": 2.5}, {"loss": 1.5}],
    "best": {},
    "module": {"weight": torch.tensor([0.123, 4.567, 8.901])},
    "precision": {},
    "optimizers": {"main": {"state": {0: {"step": torch.ones(1)}}}},
}


def test_identity_is_of_what_was_trained_not_of_how_it_is_scored():
    recipe = Recipe()
    first = training_id(recipe, "ab")
    scored_otherwise = recipe.changed(evaluation={"batch_size": 7}, how={"device": "cuda"})
    assert training_id(scored_otherwise, "ab") == first
    assert training_id(recipe, "cd") != first
    assert training_id(recipe.changed(training={"lr": 0.5}), "ab") != first
    assert run_name(recipe, "ab").startswith("clutter-resnet50-none-cam-seed0-")


def test_weights_come_back_and_another_models_are_refused(tmp_path):
    folder = RunFolder(tmp_path / "run")
    module = nn.Linear(3, 2)
    folder.save_weights(module, "last")
    again = nn.Linear(3, 2)
    folder.load_weights(again, "last")
    assert torch.equal(again.weight, module.weight)
    with pytest.raises(UserError, match=r"last\.safetensors: not a checkpoint of this model"):
        folder.load_weights(nn.Linear(4, 2), "last")
    with pytest.raises(UserError, match="no such checkpoint"):
        folder.load_weights(again, "val_cls")
    with pytest.raises(UserError, match="there are last, val_cls, val_loc"):
        folder.load_weights(again, "best")
    (folder.path / "last.safetensors").write_bytes(b"not weights")
    with pytest.raises(UserError, match="not a checkpoint"):
        folder.load_weights(again, "last")


def test_tied_and_strided_tensors_are_saved(tmp_path):
    module = nn.Linear(3, 3)
    module.register_buffer("turned", module.weight.detach().t())
    folder = RunFolder(tmp_path)
    folder.save_weights(module, "last")
    expected = module.weight.detach().t().clone()
    folder.load_weights(module, "last")
    assert torch.equal(module.turned, expected)


def test_progress_and_the_finished_mark(tmp_path):
    folder = RunFolder(tmp_path / "run")
    assert folder.progress() is None
    with pytest.raises(UserError, match="has not finished"):
        folder.facts()
    folder.save_progress(PROGRESS)
    assert folder.progress()["epochs"] == 2
    facts = {"manifest_hash": "0f", "class_keys": ["a"], "cost": {"params": 3}}
    folder.write_facts(facts)
    folder.forget_progress()
    assert folder.facts() == facts
    assert folder.progress() is None


FACTS = {"manifest_hash": "0f", "class_keys": ["a"], "cost": {"params": 3}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON .nested too deeply"),
        ('{"a":' * 100_000, "not JSON .nested too deeply"),
        ("\x00", "not JSON"),
        ("9" * 5000, "not JSON"),
        ("3", "not a mapping"),
        ("[]", "not a mapping"),
        ("null", "not a mapping"),
        ('{"cost": {}}', "lacks manifest_hash, class_keys"),
        (json.dumps(FACTS | {"manifest_hash": 3}), "manifest_hash is not text"),
        (json.dumps(FACTS | {"class_keys": "abc"}), "class_keys is not a list"),
        (json.dumps(FACTS | {"class_keys": []}), "class_keys is not a list of texts"),
        (json.dumps(FACTS | {"class_keys": [1, 2]}), "class_keys is not a list of texts"),
        (json.dumps(FACTS | {"cost": [1]}), "cost is not a mapping"),
        (json.dumps(FACTS | {"cost": {"params": "many"}}), "cost: params is not a number"),
        (json.dumps(FACTS | {"cost": {"gflops": float("nan")}}), "cost: gflops is not a number"),
        (json.dumps(FACTS | {"train_images_per_second": "fast"}), "train_images_per_second is not"),
    ],
)
def test_a_broken_run_json_is_named(tmp_path, content, said):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(UserError, match=f"run.json: {said}.*; delete the run") as caught:
        RunFolder(tmp_path).facts()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["run.json", "resume.pth"])
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["a folder", "a pipe"])
def test_what_is_no_file_is_named_and_never_waited_for(tmp_path, name, make):
    make(tmp_path / name)
    folder = RunFolder(tmp_path)
    with pytest.raises(UserError, match=rf"{name}: is a (folder|pipe), not a file"):
        folder.facts() if name == "run.json" else folder.progress()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"epochs": "2"}, "epochs is not a whole number"),
        ({"epochs": True}, "epochs is not a whole number"),
        ({"epochs": 3}, "3 epochs, but a log of 2"),
        ({"epochs": -1, "log": []}, "-1 epochs"),
        ({"log": None}, "log is not a list"),
        ({"log": [1, 2]}, "a row without a loss"),
        ({"best": [1.0]}, "best is not a mapping"),
        ({"best": {"val_loc": torch.ones(2)}}, "best values are not numbers"),
        ({"module": torch.ones(3)}, "module is not a mapping"),
        ({"precision": 1}, "precision is not a mapping"),
    ],
)
def test_progress_of_another_form_is_named(tmp_path, changed, said):
    folder = RunFolder(tmp_path)
    folder.save_progress(PROGRESS | changed)
    with pytest.raises(UserError, match=rf"resume\.pth: .*{said}.*; delete it"):
        folder.progress()


@pytest.mark.parametrize("missing", PROGRESS.keys() - {"optimizers"})
def test_progress_that_lacks_something_is_named(tmp_path, missing):
    folder = RunFolder(tmp_path)
    folder.save_progress({key: value for key, value in PROGRESS.items() if key != missing})
    with pytest.raises(UserError, match=rf"resume\.pth: lacks {missing}; delete it"):
        folder.progress()


@pytest.mark.parametrize("keep", [0, 10, 200, -1])
def test_progress_that_is_cut_off_is_named(tmp_path, keep):
    folder = RunFolder(tmp_path)
    folder.save_progress(PROGRESS)
    path = tmp_path / "resume.pth"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"resume\.pth: .*; delete it and the run begins anew"):
        folder.progress()


def test_progress_with_another_byte_in_a_tensor_is_named(tmp_path):
    folder = RunFolder(tmp_path)
    folder.save_progress(PROGRESS)
    path = tmp_path / "resume.pth"
    content = path.read_bytes()
    place = content.index(PROGRESS["module"]["weight"].numpy().tobytes())
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    # torch itself reads it without a word.
    assert not torch.equal(
        torch.load(path, weights_only=True)["module"]["weight"], PROGRESS["module"]["weight"]
    )
    with pytest.raises(UserError, match=r"resume\.pth: damaged; delete it and the run begins anew"):
        folder.progress()


def test_not_a_run_folder(tmp_path):
    with pytest.raises(UserError, match="not a run folder"):
        RunFolder(tmp_path).recipe()
