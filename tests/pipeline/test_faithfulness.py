"""Deletion and insertion from a run to the board: recorded, verified, never across networks."""

import json

import numpy as np
import pytest

from wsol.board.board import write_board
from wsol.cli.main import main
from wsol.pipeline.evaluate_maps import evaluate_maps
from wsol.pipeline.evaluate_run import evaluate_run
from wsol.pipeline.model import Model
from wsol.pipeline.outputs.publish import Outputs
from wsol.pipeline.results.verify import verify
from wsol.pipeline.train import train
from wsol.recipe import EvaluationSettings
from wsol.scores.merged_arrays import merged
from wsol.scores.metrics.faithfulness import NAMES
from wsol.scores.per_image import PerImage


@pytest.fixture
def run(tiny_recipe):
    return train(tiny_recipe.changed(training={"epochs": 1}))


def asked(run, **changes):
    own = Model.open(run).recipe.evaluation
    return EvaluationSettings(
        **{"batch_size": own.batch_size, "faithfulness": True, "thresholds": "oracle"} | changes
    )


def records(results):
    found = [json.loads(path.read_text()) for path in sorted(results.rglob("runs/**/*.json"))]
    return {record["maps"]: record for record in found}


def test_areas_are_recorded_verified_and_shown_by_network(run, tmp_path):
    results = tmp_path / "results"
    maps = ["cam", "features"]
    evaluate_run(run, asked(run, maps=maps), outputs=Outputs(results=results))
    found = records(results)
    for source in maps:
        record = found[source]
        assert record["recipe"]["what"]["evaluation"]["faithfulness"] is True
        assert record["cost"]["faithfulness_images_per_second"] > 0
        (arrays,) = results.rglob(record["arrays"]["file"])
        per_image = PerImage.load(arrays)
        for key in NAMES:
            figure, areas = record["metrics"][key], per_image.readings[key]
            assert areas.dtype == np.float32 and areas.shape == (11,)
            assert figure["value"] == pytest.approx(100 * areas.mean(dtype=float), abs=1e-4)
            assert 0 <= figure["low"] < figure["value"] < figure["high"] <= 100
            assert record["specifications"][key]["of_network"] is True
    assert found["cam"]["metrics"]["deletion"] != found["features"]["metrics"]["deletion"]
    assert not verify(results).findings
    _, markdown = write_board(results)
    page = markdown.read_text()
    assert page.count("say nothing of two") == 1 and "a random map (maps random) was not scored" in page
    table = page.partition("say nothing of two")[2]
    assert "Deletion ↓" in table and "Insertion ↑" in table and "Deletion ↓" not in page[: -len(table)]
    value = f"{found['cam']['metrics']['deletion']['value']:.1f} ["
    assert value in table


def test_what_is_not_asked_for_leaves_no_trace(run, tmp_path):
    for name, settings in (("with", asked(run)), ("without", asked(run, faithfulness=False))):
        evaluate_run(run, settings, outputs=Outputs(output=tmp_path / name))
    whole, bare = (json.loads((tmp_path / n / "metrics.json").read_text()) for n in ("with", "without"))
    assert not set(NAMES) & set(bare["metrics"]) and "evaluation" not in str(bare["cost"])
    assert "faithfulness" not in json.dumps(bare) and "of_network" not in json.dumps(bare)
    assert {key: whole["metrics"][key] for key in bare["metrics"]} == bare["metrics"]


def test_shares_of_two_processes_are_one(run, tmp_path):
    (whole,) = evaluate_run(run, asked(run)).values()
    per_image = whole.per_image
    shares = [per_image.of_images(np.arange(len(per_image))[rank::2]) for rank in (0, 1)]
    joined = merged(shares, per_image.image_ids.tolist())
    for key in NAMES:
        np.testing.assert_array_equal(joined.readings[key], per_image.readings[key])


def test_thresholds_of_val_cost_no_areas(run, monkeypatch):
    from wsol.maps.faithfulness.areas import AskedNetwork

    seen = []
    areas = AskedNetwork.areas
    monkeypatch.setattr(
        AskedNetwork, "areas", lambda self, images, *rest: seen.append(1) or areas(self, images, *rest)
    )
    evaluate_run(run, asked(run, thresholds="val"))
    assert len(seen) == 2  # 11 test images in batches of 8; none of val


def test_what_has_no_network_or_ranks_no_pixels_says_so(run, tmp_path, capsys):
    manifest = Model.open(run).recipe.data.manifest
    (evaluation,) = evaluate_run(run, asked(run)).values()
    for image_id in evaluation.per_image.image_ids:
        path = tmp_path / "maps" / f"{image_id}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.eye(4))
    capsys.readouterr()
    found = evaluate_maps(tmp_path / "maps", manifest, EvaluationSettings(faithfulness=True))
    assert "files: no deletion and insertion: there is no network to ask" in capsys.readouterr().err
    assert not set(NAMES) & set(found.metrics)


def test_boxes_of_a_window_have_no_areas(tiny_recipe, capsys):
    run = train(tiny_recipe.changed(training={"epochs": 1}, attention={"name": "stn"}))
    found = evaluate_run(run, asked(run, maps=["window", "cam"]))
    said = capsys.readouterr().err
    assert said.count("window: no deletion and insertion: it gives boxes, which rank no pixels") == 1
    assert found["window"].metrics["deletion"] == {"value": None, "low": None, "high": None}
    assert found["cam"]["deletion"] is not None


@pytest.mark.parametrize(
    "words", [["--faithfulness"], ["--evaluation.faithfulness", "true"], ["--faithfulness=true"]]
)
def test_the_command_says_it_like_a_recipe(run, tmp_path, words):
    assert main(["evaluate", "--run", str(run), *words, "--output", str(tmp_path / "out")]) == 0
    record = json.loads((tmp_path / "out" / "cam" / "metrics.json").read_text())
    assert record["metrics"]["insertion"]["value"] is not None


def test_the_command_refuses_another_word(run, capsys):
    assert main(["evaluate", "--run", str(run), "--faithfulness", "yes"]) == 2
    assert "'yes' is neither true nor false" in capsys.readouterr().err
