"""Training: the same seed the same bytes, an interruption leaves no trace, a mistake leaves nothing."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from wsol.errors import UserError
from wsol.models.factory import build_localizer
from wsol.pipeline.train import train
from wsol.training import loop
from wsol.training.run_folder import RunFolder


def weights(folder):
    return load_file(folder / "last.safetensors")


def same(first, second):
    return first.keys() == second.keys() and all((first[key] == second[key]).all() for key in first)


def in_folder(recipe, folder):
    return recipe.changed(how={"runs": folder.as_posix()})


def test_same_seed_same_weights_and_another_seed_others(tiny_recipe, tmp_path):
    first = weights(train(tiny_recipe))
    assert same(first, weights(train(in_folder(tiny_recipe, tmp_path / "again"))))
    other = in_folder(tiny_recipe, tmp_path / "other").changed(seed=1)
    assert not same(first, weights(train(other)))


@pytest.mark.parametrize("attention", ["none", "ltpa"])
def test_interrupted_and_resumed_equals_uninterrupted(tiny_recipe, tmp_path, monkeypatch, attention):
    tiny_recipe = tiny_recipe.changed(attention={"name": attention})
    whole = weights(train(in_folder(tiny_recipe, tmp_path / "whole")))
    finish = loop.TrainingState.finish_epoch

    def interrupted(self, epoch, result):
        finish(self, epoch, result)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop.TrainingState, "finish_epoch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(tiny_recipe)
    (folder,) = (tmp_path / "runs").iterdir()
    assert not RunFolder(folder).finished
    assert same(whole, weights(train(tiny_recipe)))
    assert RunFolder(folder).finished
    assert not (folder / "resume.pth").exists()
    assert len((folder / "log.csv").read_text().splitlines()) == 1 + tiny_recipe.training.epochs


def test_selection_by_val_keeps_the_best_epoch(tiny_recipe):
    folder = train(tiny_recipe.changed(training={"selection": "val_loc", "epochs": 3}))
    log = [line.split(",") for line in (folder / "log.csv").read_text().splitlines()]
    column = log[0].index("val_loc")
    values = [float(row[column]) for row in log[1:]]
    same_as_last = same(load_file(folder / "best_val_loc.safetensors"), weights(folder))
    assert same_as_last == (values.index(max(values)) == len(values) - 1)


def test_facts_say_what_was_trained(tiny_recipe):
    folder = train(tiny_recipe)
    facts = json.loads((folder / "run.json").read_text())
    assert facts["class_keys"] == [str(digit) for digit in range(10)]
    assert facts["cost"]["map_size"] == [4, 4]
    assert RunFolder(folder).recipe().what() == tiny_recipe.what()


@pytest.mark.parametrize(
    ("part", "key", "value", "message"),
    [
        ("backbone", "name", "resnet5", "did you mean"),
        ("attention", "name", "rfg", "unknown attention 'rfg': did you mean 'rfga'"),
        ("attention", "at", ["stage9"], "no stage 'stage9'"),
        ("method", "name", "cm", "unknown method 'cm'"),
        ("training", "optimizer", "lion", "there are sgd, adamw"),
        ("training", "precision", "fp8", "training.precision"),
        ("training", "selection", "best", "training.selection"),
        ("weights", "file", "none.safetensors", "none.safetensors: no such weights file"),
        ("how", "device", "tpu", "how.device"),
        ("data", "manifest", "nowhere", "nowhere: no manifest there"),
    ],
)
def test_mistakes_are_named_and_leave_no_run(tiny_recipe, tmp_path, part, key, value, message):
    wrong = tiny_recipe.changed(attention={"name": "rfga"}).changed(**{part: {key: value}})
    if part == "data":
        wrong = wrong.changed(data={"name": "cub"})
    with pytest.raises(UserError, match=message):
        train(wrong)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("maps", "attention", "message"),
    [
        (["cam", "center"], "none", "map source 'center' is no map of a model"),
        (["attention"], "none", "this model has no attention map of its own"),
        (["cam@t=5"], "tdam", "5"),
    ],
)
def test_a_wrong_map_source_is_told_before_training(tiny_recipe, tmp_path, maps, attention, message):
    with pytest.raises(UserError, match=message):
        train(tiny_recipe.changed(attention={"name": attention}, evaluation={"maps": maps}))
    assert not list((tmp_path / "runs").rglob("*.safetensors"))


def test_weights_as_they_are_must_fill_the_network(tiny_recipe):
    with pytest.raises(UserError, match=r"training\.epochs is 0, but no weights fill \d+ parameters"):
        train(tiny_recipe.changed(training={"epochs": 0}))


def test_declared_idle_parameters_stay_as_drawn(tiny_recipe):
    """Under pc with softmax g cancels; its rounding gradients would let AdamW walk."""
    ltpa = {"compatibility": "pc", "project": "down"}
    tiny_recipe = tiny_recipe.changed(
        attention={"name": "ltpa", "options": ltpa, "at": ["stage2", "stage3"]}
    )
    torch.manual_seed(tiny_recipe.seed)
    drawn = build_localizer(tiny_recipe, 10, [str(digit) for digit in range(10)])
    idle = drawn.parameters_without_gradient()
    trained = weights(train(tiny_recipe))
    assert idle
    for name, parameter in drawn.named_parameters():
        same_as_drawn = np.array_equal(trained[name], parameter.detach().numpy())
        assert same_as_drawn == (name in idle)


def test_how_flat_the_attention_maps_are_is_told_and_kept(tiny_recipe, capsys):
    recipe = tiny_recipe.changed(attention={"name": "residual"})
    shown = RunFolder(train(recipe)).facts()["shown"]
    assert shown["images"] == 10 and shown["window"] is None
    assert set(shown["spread"]) == set(build_localizer(recipe, 10).attention_names())
    assert all(0 <= value <= 1 for value in shown["spread"].values())
    assert "spread of attention maps, (max - min) / max on 10 images" in capsys.readouterr().err
    assert "shown" not in RunFolder(train(tiny_recipe.changed(seed=1))).facts()
