"""A recipe from the command line, as a reader of the README would type it."""

import pytest

from wsol.cli.recipe_arguments import parse_recipe, recipe_keys
from wsol.errors import UserError


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("attention: {name: tdam, options: {steps: 2}}\ntraining: {epochs: 3}\n")
    return str(path)


def parse(*argv):
    return parse_recipe(argv, "train")[0]


def test_overrides_come_after_the_config(config):
    recipe = parse("--config", config, "--training.epochs", "5", "--attention.options.steps", "3")
    assert recipe.training.epochs == 5
    assert recipe.attention.name == "tdam"
    assert recipe.attention.options == {"steps": 3}


def test_short_forms():
    recipe = parse("--attention", "rfga", "--weights=w.safetensors", "--attention.at", "stage4,stage5")
    assert recipe.attention.name == "rfga"
    assert recipe.weights.file == "w.safetensors"
    assert recipe.attention.at == ["stage4", "stage5"]
    assert parse("--attention.at=[stage4]").attention.at == ["stage4"]
    assert parse("--training.milestones", "3,6").training.milestones == [3, 6]
    assert parse("--backbone.strides.stage5", "1").backbone.strides == {"stage5": 1}


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--attentoin", "rfga"], "'--attentoin': did you mean 'attention"),
        (["--attention.nam", "rfga"], "'--attention.nam': did you mean 'attention.name'"),
        (["--training.lr", "fast"], "training.lr"),
        (["--config", "none.yaml"], "none.yaml: no such recipe"),
        (["--attention.at"], "expected one argument"),
        (["stray"], "stray"),
    ],
)
def test_mistakes_are_one_line(argv, message):
    with pytest.raises(UserError, match=message) as caught:
        parse(*argv)
    assert "\n" not in str(caught.value)


def test_every_key_is_known():
    assert {"attention.name", "training.lr", "seed", "how.device"} <= set(recipe_keys())
