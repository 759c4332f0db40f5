"""run.json: of another form, changed since it was written, or of another recipe, it is named."""

import json
import os
from pathlib import Path

import pytest

from wsol.errors import UserError
from wsol.recipe import Recipe
from wsol.training.run_folder import RunFolder


def is_named(folder, content, said):
    (folder / "run.json").write_text(content)
    with pytest.raises(UserError, match=f"run.json: {said}.*; delete the run") as caught:
        RunFolder(folder).facts()
    assert "\n" not in str(caught.value)


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
    ],
)
def test_a_broken_run_json_is_named(tmp_path, content, said):
    is_named(tmp_path, content, said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"manifest_hash": 3}, "manifest_hash is not text"),
        ({"class_keys": "abc"}, "class_keys is not a list"),
        ({"class_keys": []}, "class_keys is not a list of texts"),
        ({"class_keys": [1, 2]}, "class_keys is not a list of texts"),
        ({"cost": [1]}, "cost is not a mapping"),
        ({"cost": {"params": "many"}}, "cost: params is not a number"),
        ({"cost": {"gflops": float("nan")}}, "cost: gflops is not a number"),
        ({"train_images_per_second": "fast"}, "train_images_per_second is not"),
    ],
)
def test_a_fact_of_another_form_is_named(tmp_path, facts, changes, said):
    is_named(tmp_path, json.dumps(facts | changes), said)


@pytest.mark.parametrize("name", ["run.json", "resume.pth"])
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["a folder", "a pipe"])
def test_what_is_no_file_is_named_and_never_waited_for(tmp_path, name, make):
    make(tmp_path / name)
    folder = RunFolder(tmp_path)
    with pytest.raises(UserError, match=rf"{name}: is a (folder|pipe), not a file"):
        folder.facts() if name == "run.json" else folder.progress()


@pytest.mark.parametrize(
    "changes",
    [
        {"class_keys": ["b"]},
        {"default_map": "features"},
        {"cost": {"params": 4}},
        {"more": float("nan")},
    ],
)
def test_a_run_json_that_was_changed_is_named(finished_run, tmp_path, changes):
    folder = finished_run()
    written = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(written | changes))
    with pytest.raises(UserError, match=r"run\.json: .*(changed since|NaN).*train it again"):
        folder.facts()
    (tmp_path / "run.json").write_text(json.dumps(written))  # in another order of words
    assert folder.facts() == {key: value for key, value in written.items() if key != "digest"}


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
def test_hashes_that_are_none_are_named(tmp_path, facts, weights, said):
    (tmp_path / "run.json").write_text(json.dumps({**facts, "weights": weights}))
    with pytest.raises(UserError, match=rf"run\.json: .*{said}.*train it again"):
        RunFolder(tmp_path).facts()


@pytest.mark.parametrize("part", ["seed", "training", "backbone", "data"])
def test_a_recipe_that_was_changed_is_not_the_runs(finished_run, tmp_path, part):
    folder = finished_run()
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
