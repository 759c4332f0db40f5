"""A trained run is scored: what is recorded, on which data, by which thresholds."""

import pytest

from wsol.board import read_records
from wsol.data.layouts.clutter import LAYOUT
from wsol.data.prepare import prepare
from wsol.errors import UserError
from wsol.pipeline.evaluate_run import evaluate_run
from wsol.pipeline.model import Model
from wsol.pipeline.outputs.publish import Outputs
from wsol.pipeline.train import train
from wsol.recipe import EvaluationSettings


def test_a_record_is_kept_and_what_is_asked_for_is_written(tiny_recipe, tmp_path, capsys):
    run = train(tiny_recipe)
    settings = EvaluationSettings(maps=["cam"], batch_size=8)
    results = Outputs(results=tmp_path / "results")
    model = Model.open(run, tiny_recipe.how)
    first = evaluate_run(model, settings, outputs=results)["cam"]
    (record,) = (tmp_path / "results" / "runs").rglob("*.json")
    stamp = record.stat().st_mtime_ns
    assert evaluate_run(model, settings, outputs=results) == {}
    settings = EvaluationSettings(maps=["cam", "features"], batch_size=8)
    outputs = Outputs(tmp_path / "results", tmp_path / "out")
    again = evaluate_run(model, settings, outputs=outputs)
    assert again["cam"].metrics == first.metrics
    assert (tmp_path / "out" / "cam" / "per_image.csv").is_file()
    assert record.stat().st_mtime_ns == stamp
    assert len(read_records(tmp_path / "results" / "runs")) == 2
    said = capsys.readouterr().err
    assert f"cam: is recorded already in {record}" in said and "features: is" not in said


def test_threshold_policies_are_recorded_and_val_is_honest(tiny_recipe, tmp_path):
    run = train(tiny_recipe)
    settings = EvaluationSettings(maps=["cam"], thresholds="val", batch_size=8)
    model, results = Model.open(run, tiny_recipe.how), Outputs(results=tmp_path / "results")
    honest = evaluate_run(model, settings, outputs=results)["cam"]
    settings = EvaluationSettings(maps=["cam"], batch_size=8)
    oracle = evaluate_run(model, settings, outputs=results)["cam"]
    assert honest["gt_known_loc@0.5"] <= oracle["gt_known_loc@0.5"] == oracle["max_box_acc@0.5"]
    policies = {record.threshold["policy"] for record in read_records(tmp_path / "results" / "runs")}
    assert policies == {"val", "oracle"}


def test_a_run_is_refused_on_data_it_was_not_trained_on(tiny_recipe, tmp_path):
    run = train(tiny_recipe)
    options = LAYOUT.options()
    options.size, options.train, options.val, options.test, options.seed = 32, 4, 4, 5, 9
    prepare("clutter", None, tmp_path / "other", options=options)
    recipe_file = run / "recipe.yaml"
    text = recipe_file.read_text().replace(tiny_recipe.data.manifest, (tmp_path / "other").as_posix())
    recipe_file.write_text(text)
    with pytest.raises(UserError, match=r"not the manifest that .* was trained on"):
        evaluate_run(run)
    scored = evaluate_run(run, manifest=tmp_path / "other")
    assert scored["cam"].n_images == 5


def test_evaluating_a_model_counts_every_image_once(tiny_recipe):
    """11 images in batches of 8: the padding of the last batch is not scored."""
    run = train(tiny_recipe)
    scored = evaluate_run(Model.open(run, tiny_recipe.how))["cam"]
    assert scored.n_images == scored.n_expected == 11
