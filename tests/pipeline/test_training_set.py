"""Which images a run may be scored on besides its own, and how; one training, several tests."""

import pytest

from wsol.board.runs.reading import read_records
from wsol.cli.main import main
from wsol.data.layouts.digits import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare
from wsol.errors import UserError
from wsol.pipeline.benchmark import Grid, benchmark
from wsol.pipeline.evaluate_run import evaluate_run
from wsol.pipeline.training_set import check_drawn_for, settings_on
from wsol.recipe import EvaluationSettings


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Small manifests by test: (folder of) base, company, none, parts; and base of another seed."""
    place = tmp_path_factory.mktemp("digits")
    counts = {"train": 28, "val": 14, "images": 21}
    for name in ("base", "company", "none", "parts"):
        prepare("digits", None, place / name, options=LAYOUT.options(test=name, **counts))
    other = LAYOUT.options(test="company", seed=1, **counts)
    prepare("digits", None, place / "seed1", options=other)
    return place


@pytest.fixture
def recipe(tiny_recipe, digits):
    return tiny_recipe.changed(
        data={
            "name": "digits",
            "manifest": (digits / "base").as_posix(),
            "input_size": 64,
            "resize_size": 64,
        },
        training={"epochs": 1},
        evaluation={"protocol": "halfopen", "maps": ["cam"]},
    )


def test_a_run_is_trained_once_and_scored_on_every_test(recipe, digits, tmp_path):
    also = [digits / "company", digits / "none"]
    benchmark([recipe], also=also)
    records = read_records(tmp_path / "results" / "runs")
    trained = [record for record in records if record.recipe["what"].get("backbone")]
    by_test = {record.dataset["name"]: record for record in trained}
    assert set(by_test) == {"digits base 2", "digits company 1", "digits none"}
    assert len(list((tmp_path / "runs").iterdir())) == 1
    own = Manifest.read(digits / "base").hash
    assert "trained_on" not in by_test["digits base 2"].recipe["what"]
    assert by_test["digits company 1"].recipe["what"]["trained_on"] == own
    # An image without a label has no map of its class: all are read at the predicted one.
    assert by_test["digits none"].maps == "cam@predicted"
    assert by_test["digits none"].threshold["policy"] == "val"
    assert by_test["digits company 1"].n_images == 42  # two queries an image
    # What a grid looks for is what scoring writes: nothing is done twice.
    grid = Grid([recipe], also=lambda one: also)
    assert [row.recorded for row in grid.rows] == [True]


def test_a_test_of_another_training_set_is_refused(recipe, digits, capsys):
    for name, told in (("parts", "digits parts"), ("seed1", "seed 1")):
        grid = Grid([recipe], also=lambda one, name=name: [digits / name])
        ((_, message),) = grid.failures
        assert told in message
        assert "was trained on digits base of 64 pixels, seed 0" in message
    folder = (digits / "parts").as_posix()
    command = ["benchmark", "--config", str(digits / "r.yaml"), "--also", folder]
    (digits / "r.yaml").write_text(recipe.to_yaml())
    assert main(command) == 2
    assert "is for networks trained on digits parts" in capsys.readouterr().err


def test_evaluate_refuses_it_too(recipe, digits):
    from wsol.pipeline.train import train

    run = train(recipe)
    with pytest.raises(UserError, match="name a test of that training set"):
        evaluate_run(run, recipe.evaluation, manifest=digits / "parts")
    scored = evaluate_run(run, recipe.evaluation, manifest=digits / "company")
    assert scored["cam"].metrics["recall_at_k"]["value"] is not None


def test_what_nobody_drew_is_for_every_network(tiny_manifest):
    check_drawn_for(Manifest.read(tiny_manifest), {}, "any")


def test_settings_stay_where_all_images_have_labels(digits):
    settings = EvaluationSettings(maps=["cam", "features"])
    assert settings_on(Manifest.read(digits / "company"), settings) is settings
    changed = settings_on(Manifest.read(digits / "none"), settings)
    assert list(changed.maps) == ["cam@predicted", "features"]
    given = EvaluationSettings(maps=["cam"], thresholds="fixed:0.2")
    assert settings_on(Manifest.read(digits / "none"), given).thresholds == "fixed:0.2"
