"""From recipes to the board: one record a row, nothing done twice, the same bytes again."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from wsol.board import read_records
from wsol.data.manifest.manifest import Manifest
from wsol.errors import UserError
from wsol.pipeline.benchmark import benchmark
from wsol.pipeline.demo import demo_recipes
from wsol.pipeline.leaderboard import write_board
from wsol.pipeline.outputs import publish
from wsol.recipe import Recipe


def test_every_row_gets_one_record_and_the_board_repeats(tiny_recipe, tmp_path):
    tiny_recipe = tiny_recipe.changed(training={"epochs": 1})
    benchmark([tiny_recipe], seeds=[0, 1], overlays=2)
    results = tmp_path / "results"
    records = sorted((results / "runs").rglob("*.json"))
    assert sorted((r.maps, r.seeds.get("training")) for r in read_records(results / "runs")) == [
        ("cam", 0),
        ("cam", 1),
        ("center", None),
        ("features", 0),
        ("features", 1),
        ("intensity", None),
    ]
    page = write_board(results)
    board = (results / "leaderboard.csv").read_bytes()
    stamps = {path: path.stat().st_mtime_ns for path in records}
    benchmark([tiny_recipe], seeds=[0, 1], overlays=2)
    assert {path: path.stat().st_mtime_ns for path in records} == stamps
    (results / "leaderboard.csv").unlink()
    write_board(results)
    assert (results / "leaderboard.csv").read_bytes() == board
    assert page.stat().st_size > 10_000


def test_what_is_recorded_is_not_trained_again(tiny_recipe, tmp_path):
    tiny_recipe = tiny_recipe.changed(
        training={"epochs": 1},
        attention={"name": "simam"},
        evaluation={"maps": ["cam", "attention"]},
    )
    benchmark([tiny_recipe], seeds=[0])
    shutil.rmtree(tmp_path / "runs")
    benchmark([tiny_recipe], seeds=[0])
    assert not (tmp_path / "runs").exists()
    more = tiny_recipe.changed(evaluation={"maps": ["cam", "attention", "features"]})
    benchmark([more], seeds=[0])
    assert len(list((tmp_path / "runs").iterdir())) == 1
    assert len(read_records(tmp_path / "results" / "runs")) == 5


def test_a_method_that_cannot_be_built_is_told_before_anything_is_scored(tiny_recipe, tmp_path):
    with pytest.raises(UserError, match="unknown method 'acoll': did you mean 'acol'"):
        benchmark([tiny_recipe.changed(method={"name": "acoll"})], seeds=[0])
    assert not (tmp_path / "results").exists() and not (tmp_path / "runs").exists()


def test_center_row_is_the_best_centred_square_found_plainly(tiny_recipe, tmp_path):
    benchmark([tiny_recipe], seeds=[])
    (record,) = (one for one in read_records(tmp_path / "results" / "runs") if one.maps == "center")
    annotations = Manifest.read(tiny_recipe.data.manifest).split("test").annotations()
    best = 0.0
    for side in range(2, 225, 2):
        low, high = (224 - side) // 2, (224 + side) // 2
        hits = []
        for annotation in annotations.values():
            x0, y0, x1, y1 = np.trunc(annotation.source_boxes[0].astype(float) * 224 / 32)
            right, bottom = min(high, 223), min(high, 223)
            width = min(right, x1) - max(low, x0) + 1
            height = min(bottom, y1) - max(low, y0) + 1
            inter = max(width, 0) * max(height, 0)
            areas = (right - low + 1) * (bottom - low + 1) + (x1 - x0 + 1) * (y1 - y0 + 1)
            hits.append(inter / (areas - inter) >= 0.5)
        best = max(best, 100 * float(np.mean(hits)))
    assert record.metrics["max_box_acc@0.5"]["value"] == pytest.approx(best, abs=1e-9)


def test_demo_recipes_are_the_committed_ones():
    """But for the maps that they show beside their first: the demo leaves out all but CAM's features."""
    configs = Path(__file__).parents[2] / "configs" / "digits"
    for name, recipe in demo_recipes().items():
        committed = Recipe.from_yaml(configs / f"{name}.yaml")
        shown = recipe.evaluation.maps
        assert list(shown) == list(committed.evaluation.maps[: len(shown)])
        assert committed.changed(evaluation={"maps": list(shown)}) == recipe


def test_a_protocol_brings_its_own_threshold_policy(tiny_recipe, tmp_path):
    """The protocol `fixed` means CAM's 0.2 unless another threshold is asked for."""
    benchmark([tiny_recipe.changed(evaluation={"protocol": "fixed"})], seeds=[])
    other = {"protocol": "fixed", "thresholds": "fixed:0.5"}
    benchmark([tiny_recipe.changed(evaluation=other)], seeds=[])
    records = read_records(tmp_path / "results" / "runs")
    chosen = {r.threshold["policy"]: r.threshold["values"]["gt_known_loc@0.5"] for r in records}
    assert chosen == {"fixed:0.2": 0.2, "fixed:0.5": 0.5}


def test_arrays_too_large_to_commit_are_named_so_and_their_sums_lie_beside(
    tiny_recipe, tmp_path, monkeypatch
):
    monkeypatch.setattr(publish, "LARGEST_COMMITTED", 100)
    benchmark([tiny_recipe], seeds=[])
    record, _ = read_records(tmp_path / "results" / "runs")
    (folder,) = (tmp_path / "results" / "runs").iterdir()
    assert record.arrays["file"].endswith(".large.npz")
    assert record.arrays["levels_file"].endswith(".levels.npz")
    (folder / record.arrays["file"]).unlink()
    page = write_board(tmp_path / "results").read_text()
    assert "Accuracy over the threshold" in page
    assert "for want of arrays" not in page
