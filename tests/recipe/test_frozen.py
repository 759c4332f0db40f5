"""A recipe cannot be changed, and can be copied, sent to another process, hashed and written."""

import copy
import dataclasses
import json
import pickle

import pytest
import yaml

from wsol.recipe import AttentionSettings, Recipe
from wsol.recipe.frozen_dict import FrozenDict


@pytest.fixture
def recipe():
    options = {"steps": 2, "widths": [1, 2], "inner": {"a": [True]}}
    return Recipe(attention=AttentionSettings("tdam", ["stage4"], options))


@pytest.mark.parametrize(
    "change",
    [
        lambda mapping: mapping.update(steps=3),
        lambda mapping: mapping.__setitem__("steps", 3),
        lambda mapping: mapping.__delitem__("steps"),
        lambda mapping: mapping.__ior__({"steps": 3}),
        lambda mapping: mapping.pop("steps"),
        lambda mapping: mapping.popitem(),
        lambda mapping: mapping.clear(),
        lambda mapping: mapping.setdefault("other", 3),
        lambda mapping: mapping["inner"].clear(),
    ],
)
def test_mappings_refuse_every_change(recipe, change):
    before = recipe.to_yaml()
    with pytest.raises(TypeError, match="read-only"):
        change(recipe.attention.options)
    assert recipe.to_yaml() == before


def test_fields_refuse_every_change(recipe):
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.seed = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.attention.name = "rfga"


def test_the_mapping_given_is_not_kept():
    options = {"steps": [2]}
    made = AttentionSettings(options=options)
    options["steps"].append(3)
    options["other"] = 1
    assert made.options == {"steps": (2,)}


def test_copies_are_equal_and_still_frozen(recipe):
    for other in (
        pickle.loads(pickle.dumps(recipe)),
        copy.deepcopy(recipe),
        copy.copy(recipe),
        dataclasses.replace(recipe),
        Recipe.from_dict(yaml.safe_load(recipe.to_yaml())),
        Recipe.from_dict(dataclasses.asdict(recipe)),
    ):
        assert other == recipe and hash(other) == hash(recipe)
        assert type(other.attention.options) is type(other.attention.options["inner"]) is FrozenDict


def test_json_and_yaml_take_the_mapping_as_any_other(recipe):
    options = recipe.attention.options
    written = {"steps": 2, "widths": [1, 2], "inner": {"a": [True]}}
    assert json.loads(json.dumps(options)) == yaml.safe_load(yaml.safe_dump(options)) == written
    assert recipe.what()["attention"] == {"name": "tdam", "at": ["stage4"], "options": written}
    assert options == {"steps": 2, "widths": (1, 2), "inner": {"a": (True,)}}


def test_changed_leaves_what_it_is_not_told(recipe):
    other = recipe.changed(attention={"at": ["stage3"]}, seed=4)
    assert other.attention == AttentionSettings("tdam", ["stage3"], recipe.attention.options)
    assert (other.seed, recipe.seed, other.training) == (4, 0, recipe.training)


def test_the_label_writes_lists_as_recipes_do(recipe):
    assert recipe.attention.label == "tdam(inner={'a': [True]},steps=2,widths=[1, 2])@stage4"
