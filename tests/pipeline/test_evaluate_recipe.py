"""``wsol evaluate --config``: the run of a recipe, and the options beside it."""

import pytest
import yaml

from wsol.cli.main import main


def test_beside_a_recipe_the_options_are_short_for_its_keys(tiny_recipe, tmp_path, capsys):
    path = str(tiny_recipe.changed(training={"epochs": 1}).write(tmp_path / "recipe.yaml"))
    words = ["evaluate", "--config", path, "--split", "val", "--thresholds", "fixed:0.25", "--maps"]
    words += ["features", "--protocol", "halfopen", "--step", "0.01", "--device", "cpu"]
    with pytest.raises(SystemExit):
        main([*words, "--print_config"])
    said = yaml.safe_load(capsys.readouterr().out)
    assert said["how"]["device"] == "cpu"
    asked = {"split": "val", "thresholds": "fixed:0.25", "maps": ["features"], "step": 0.01}
    assert said["evaluation"] | asked | {"protocol": "halfopen"} == said["evaluation"]


def test_a_recipe_that_is_not_trained_is_told_to_be(tiny_recipe, tmp_path, capsys):
    path = tiny_recipe.write(tmp_path / "recipe.yaml")
    assert main(["evaluate", "--config", str(path)]) == 2
    said = capsys.readouterr().err
    assert "this recipe is not trained yet: wsol train" in said and said.count("\n") == 1
    assert not (tmp_path / "runs").exists()
