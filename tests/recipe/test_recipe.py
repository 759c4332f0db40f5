"""Recipes: YAML round trip, what is hashed, and one-line errors."""

from pathlib import Path

import pytest
import yaml

from wsol.errors import UserError
from wsol.recipe import Recipe

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*/*.yaml"))


def test_yaml_round_trip(tmp_path):
    recipe = Recipe.from_dict(
        {"attention": {"name": "rfga", "options": {"kernel": 3}}, "training": {"lr": "1e-3"}, "seed": 7}
    )
    assert recipe.training.lr == 0.001
    assert Recipe.from_yaml(recipe.write(tmp_path / "r.yaml")) == recipe


def test_how_does_not_enter_what():
    recipe = Recipe()
    before = recipe.what()
    elsewhere = recipe.changed(
        how={"device": "cuda", "threads": 3, "workers": 9},
        data={"manifest": "elsewhere"},
        weights={"file": "w.safetensors"},
        pretraining="ImageNet",
        name="mine",
    )
    assert elsewhere.what() == before
    assert elsewhere.how_part() == {
        "device": "cuda",
        "threads": 3,
        "workers": 9,
        "runs": "runs",
        "results": "results",
        "data": {"manifest": "elsewhere"},
        "weights": {"file": "w.safetensors"},
        "training": {"cache_features": False},
        "pretraining": "ImageNet",
        "extra_supervision": "",
        "tuning_trials": 0,
        "name": "mine",
    }
    assert recipe.changed(seed=1).what() != before


def test_how_a_run_is_scored_is_not_what_was_trained():
    recipe = Recipe()
    other = {"protocol": "halfopen", "thresholds": "val", "split": "val", "maps": [], "step": 0.1}
    assert recipe.changed(evaluation=other).what() == recipe.what()
    assert recipe.what()["evaluation"] == {"batch_size": 32}
    classes = recipe.changed(evaluation={"classes": {"Horse": ["n02389026"]}, "masks": False})
    assert classes.what()["evaluation"] == {
        "batch_size": 32,
        "classes": {"Horse": ["n02389026"]},
        "masks": False,
    }


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"attentoin": {}}, "unknown key 'attentoin': did you mean 'attention'"),
        ({"training": {"epoch": 3}}, "unknown key 'training.epoch': did you mean 'epochs'"),
        ({"training": 3}, "training must be a mapping, not 3"),
        ({"training": None}, "training must be a mapping, not None"),
        ([], "the recipe must be a mapping"),
    ],
)
def test_mistakes_are_named(raw, message):
    with pytest.raises(UserError, match=message):
        Recipe.from_dict(raw, "r.yaml")


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(UserError, match="no such recipe"):
        Recipe.from_yaml(tmp_path / "none.yaml")
    (tmp_path / "broken.yaml").write_text("a: [1")
    with pytest.raises(UserError, match=r"broken\.yaml: not a YAML recipe"):
        Recipe.from_yaml(tmp_path / "broken.yaml")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_committed_recipe_is_read(path):
    recipe = Recipe.from_yaml(path)
    assert yaml.safe_load(path.read_text())["data"]["name"] == recipe.data.name


def test_attention_label():
    label = Recipe.from_dict({"attention": {"name": "tdam", "options": {"steps": 3}, "at": ["stage4"]}})
    assert label.attention.label == "tdam(steps=3)@stage4"
    assert Recipe().attention.label == "none"


def test_a_later_field_changes_no_identity_at_its_default():
    recipe = Recipe()
    assert "folds" not in recipe.what()["training"]
    assert recipe.changed(training={"folds": 5}).what()["training"]["folds"] == 5
