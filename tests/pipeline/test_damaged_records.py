"""A record that was damaged, or whose arrays were, is made again by the command that made it."""

import json

import pytest

from wsol.cli.main import main
from wsol.pipeline.benchmark import benchmark
from wsol.pipeline.results.verify import verify


def change_figure(path):
    raw = json.loads(path.read_text())
    raw["metrics"]["max_box_acc@0.5"]["value"] = 12.5
    path.write_text(json.dumps(raw))


def cut_json(path):
    path.write_bytes(path.read_bytes()[:100])


def change_arrays(path):
    arrays = path.with_suffix(".npz")
    content = bytearray(arrays.read_bytes())
    content[len(content) // 2] ^= 1
    arrays.write_bytes(content)


@pytest.mark.parametrize("damage", [change_figure, cut_json, change_arrays])
def test_what_was_damaged_is_scored_again_and_nothing_else(
    tiny_recipe, files_of, tmp_path, capsys, damage
):
    recipe = tiny_recipe.changed(training={"epochs": 1}, evaluation={"maps": ["cam", "features"]})
    benchmark([recipe], seeds=[0])
    results = tmp_path / "results"
    before = files_of(results / "runs")
    trained = files_of(tmp_path / "runs")
    path = next((results / "runs").rglob("*-cam-*.json"))
    damage(path)
    assert verify(results).equal == len(before) // 2 - 1
    capsys.readouterr()
    benchmark([recipe], seeds=[0])
    said = capsys.readouterr().err
    assert "1 row: 1 to score" in said and f"{path}: it or its arrays were damaged: replaced" in said
    after = files_of(results / "runs")
    changed = {name for name in before if after[name] != before[name]}
    # Made at another time, so that the record's bytes are others; its arrays are the same.
    assert changed == {path.relative_to(results / "runs").as_posix()}
    assert files_of(tmp_path / "runs") == trained
    assert verify(results).equal == len(before) // 2


def test_a_grid_among_damaged_records_of_others_ends_with_exit_code_2(tiny_recipe, tmp_path, capsys):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        tiny_recipe.changed(training={"epochs": 1}, evaluation={"maps": ["cam"]}).to_yaml()
    )
    arguments = ["benchmark", "--config", str(recipe), "--overlays", "0"]
    assert main(arguments) == 0
    other = tmp_path / "results/runs/other.json"
    other.write_text("{")
    capsys.readouterr()
    for command in (arguments, ["report", "--results", str(tmp_path / "results")]):
        assert main(command) == 2
        assert capsys.readouterr().err.count(f"{other}: not a run record") == 1
    assert main(["results", "list", "--results", str(tmp_path / "results")]) == 2
