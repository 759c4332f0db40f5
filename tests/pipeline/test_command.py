"""What `wsol benchmark` takes: recipes, and overrides of their keys."""

import pytest

from wsol.board import read_records
from wsol.cli.main import main
from wsol.recipe import Recipe


def test_overrides_hold_for_every_recipe(tiny_recipe, tmp_path):
    first = tiny_recipe.write(tmp_path / "first.yaml")
    second = tiny_recipe.changed(training={"epochs": 3}).write(tmp_path / "second.yaml")
    results = tmp_path / "board"
    argv = ["benchmark", "--config", str(first), str(second), "--attention", "simam"]
    assert main([*argv, "--training.epochs=1", "--results", str(results), "--overlays", "0"]) == 0
    records = [one for one in read_records(results / "runs") if one.seeds.get("training") is not None]
    assert records
    # Both recipes have become the same row.
    assert len(list((tmp_path / "runs").iterdir())) == 1
    run = Recipe.from_yaml(next((tmp_path / "runs").iterdir()) / "recipe.yaml")
    assert (run.attention.name, run.training.epochs) == ("simam", 1)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["--seed", "1"], "--seed is --seeds here"),
        (["--atention", "se"], "unknown option '--atention': did you mean '--attention'"),
        (["--training.epochs", "many"], "epochs"),
    ],
)
def test_a_wrong_override_is_one_line(overrides, said, tiny_recipe, tmp_path, capsys):
    recipe = tiny_recipe.write(tmp_path / "recipe.yaml")
    assert main(["benchmark", "--config", str(recipe), *overrides]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
