"""Run folders: identity, weights of another model, progress."""

import hashlib
import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
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
    folder.tidy()
    assert folder.facts() == {**facts, "weights": {}}
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


FACTS = {"manifest_hash": "0f", "class_keys": ["a"], "cost": {"params": 3}}


def finished_run(path, parts=()):
    """A finished run with the weights of ones, those of its folds where there are any."""
    folder = RunFolder(path)
    module = nn.Linear(3, 2)
    nn.init.ones_(module.weight)
    for place in [folder.fold(number) for number in parts] or [folder]:
        place.save_weights(module, "last")
    folder.write_recipe(Recipe())
    folder.write_facts({**FACTS, "training_id": training_id(Recipe(), "0f")})
    return folder


@pytest.mark.parametrize("parts", [(), (0, 1)])
def test_run_json_has_the_hashes_of_the_weights_on_disk(tmp_path, parts):
    folder = finished_run(tmp_path, parts)
    names = [f"fold{number}/last.safetensors" for number in parts] or ["last.safetensors"]
    assert folder.facts()["weights"] == {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in names
    }


@pytest.mark.parametrize("parts", [(), (0, 1)])
@pytest.mark.parametrize("how", ["one bit", "another network's", "an older epoch's", "cut"])
def test_weights_that_were_changed_are_not_scored(tmp_path, parts, how):
    folder = finished_run(tmp_path, parts)
    place = folder.fold(1) if parts else folder
    path = place.path / "last.safetensors"
    content = bytearray(path.read_bytes())
    if how == "one bit":
        content[-1] ^= 1
    elif how == "cut":
        del content[-4:]
    else:
        module = nn.Linear(3, 2) if how == "an older epoch's" else nn.Linear(5, 2)
        RunFolder(tmp_path / "other").save_weights(module, "last")
        content = (tmp_path / "other" / "last.safetensors").read_bytes()
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"last\.safetensors: not the weights that were trained"):
        place.load_weights(nn.Linear(3, 2), "last")


@pytest.mark.parametrize("parts", [(), (0, 1)])
def test_a_finished_runs_weights_are_checked_without_a_network(tmp_path, parts):
    folder = finished_run(tmp_path, parts)
    folder.check_weights()
    path = (folder.fold(1) if parts else folder).path / "last.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"!")
    with pytest.raises(UserError, match=r"last\.safetensors: not the weights that were trained"):
        folder.check_weights()
    path.unlink()
    with pytest.raises(UserError, match=r"last\.safetensors: cannot be read"):
        folder.check_weights()


@pytest.mark.parametrize(
    "changes",
    [
        {"class_keys": ["b"]},
        {"default_map": "features"},
        {"cost": {"params": 4}},
        {"more": float("nan")},
    ],
)
def test_a_run_json_that_was_changed_is_named(tmp_path, changes):
    folder = finished_run(tmp_path)
    written = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(written | changes))
    with pytest.raises(UserError, match=r"run\.json: .*(changed since|NaN).*train it again"):
        folder.facts()
    (tmp_path / "run.json").write_text(json.dumps(written))  # in another order of words
    assert folder.facts() == {key: value for key, value in written.items() if key != "digest"}


def test_weights_that_run_json_does_not_name_are_not_of_the_run(tmp_path):
    folder = finished_run(tmp_path)
    (tmp_path / "last.safetensors").rename(tmp_path / "best_val_cls.safetensors")
    with pytest.raises(UserError, match=r"best_val_cls\.safetensors: not of this run"):
        folder.load_weights(nn.Linear(3, 2), "val_cls")


def test_a_run_of_before_there_were_hashes_is_read(tmp_path):
    folder = finished_run(tmp_path)
    facts = folder.facts()
    del facts["weights"]
    (tmp_path / "run.json").write_text(json.dumps(facts))
    module = nn.Linear(3, 2)
    folder.load_weights(module, "last")
    assert torch.equal(module.weight, torch.ones(2, 3))


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (["last.safetensors"], "must name files"),
        ("0f" * 32, "must name files"),
        ({"last.safetensors": 3}, "'last.safetensors': no SHA-256"),
        ({"last.safetensors": "0F" * 32}, "no SHA-256"),
        ({"last.safetensors": None}, "no SHA-256"),
    ],
)
def test_hashes_that_are_none_are_named(tmp_path, weights, said):
    (tmp_path / "run.json").write_text(json.dumps({**FACTS, "weights": weights}))
    with pytest.raises(UserError, match=rf"run\.json: .*{said}.*train it again"):
        RunFolder(tmp_path).facts()


@pytest.mark.parametrize("part", ["seed", "training", "backbone", "data"])
def test_a_recipe_that_was_changed_is_not_the_runs(tmp_path, part):
    folder = finished_run(tmp_path)
    changes = {
        "seed": 1,
        "training": {"lr": 0.5},
        "backbone": {"name": "resnet18"},
        "data": {"input_size": 32, "resize_size": 32},
    }
    assert folder.recipe() == Recipe()
    Recipe().changed(**{part: changes[part]}).write(tmp_path / "recipe.yaml")
    with pytest.raises(UserError, match=r"recipe\.yaml: not what this run was trained with"):
        folder.facts()
    # How it is scored and where it runs is no part of what was trained.
    Recipe().changed(how={"workers": 9}, evaluation={"batch_size": 7}).write(tmp_path / "recipe.yaml")
    assert folder.facts()["manifest_hash"] == "0f"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("kind", ["parameter", "buffer"])
def test_weights_that_are_not_finite_are_not_written(tmp_path, bad, kind):
    module = nn.BatchNorm1d(3)
    (module.weight.data if kind == "parameter" else module.running_var)[1] = bad
    name = "weight" if kind == "parameter" else "running_var"
    with pytest.raises(UserError, match=rf"last\.safetensors: the weights are not finite \({name}\)"):
        RunFolder(tmp_path).save_weights(module, "last")
    assert not list(tmp_path.iterdir())


def test_a_run_whose_weights_on_disk_are_not_finite_is_not_finished(tmp_path):
    """They may be of a version that did not look."""
    folder = RunFolder(tmp_path)
    save_file(
        {"a": torch.ones(2), "b": torch.tensor([1.0, float("nan")])}, tmp_path / "last.safetensors"
    )
    with pytest.raises(UserError, match=r"not finite \(b\)"):
        folder.write_facts(FACTS)
    (tmp_path / "last.safetensors").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"last\.safetensors: damaged"):
        folder.write_facts(FACTS)
    assert not folder.finished


def test_what_a_killed_process_left_in_a_finished_run_is_removed(tmp_path):
    folder = finished_run(tmp_path, (0, 1))
    for left in ("resume.pth", "fold0/resume.pth", ".lock-0123abcd"):
        (tmp_path / left).touch()
    os.utime(tmp_path / ".lock-0123abcd", (0, 0))
    folder.tidy()
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert found == [
        "fold0/last.safetensors",
        "fold1/last.safetensors",
        "recipe.yaml",
        "run.json",
    ]
