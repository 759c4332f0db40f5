"""From recipes to the board: one record a row, nothing done twice, the same bytes again."""

import json
import shutil

import numpy as np
import pytest

from wsol.board import read_records
from wsol.data.loading.loader import eval_loader
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_info import tables_hash
from wsol.errors import UserError
from wsol.evaluation.evaluator import evaluate
from wsol.maps.centered import center_map
from wsol.maps.reading import MapReader
from wsol.pipeline.benchmark import benchmark
from wsol.pipeline.demo import demo_recipes
from wsol.pipeline.evaluate_maps import evaluate_maps
from wsol.pipeline.evaluate_run import evaluate_run
from wsol.pipeline.leaderboard import write_board
from wsol.pipeline.model import Model
from wsol.pipeline.outputs import publish
from wsol.pipeline.outputs.publish import Outputs
from wsol.pipeline.train import train
from wsol.recipe import EvaluationSettings, Recipe
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Prediction


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


def test_a_run_scores_as_its_maps_score_from_a_folder(tiny_recipe, tmp_path):
    run = train(tiny_recipe)
    opened = Model.open(run, tiny_recipe.how)
    scored = evaluate_run(opened, outputs=Outputs(output=tmp_path / "out", overlays=3))
    assert set(scored) == {"cam", "features"}
    manifest = Manifest.read(tiny_recipe.data.manifest)
    split = manifest.split("test")
    maps = tmp_path / "maps"
    rows = ["image_id,top1,top2,top3,top4,top5"]
    reader = MapReader(opened.localizer, split.class_keys)
    for prediction in reader.predictions(eval_loader(split, opened.recipe), "cam"):
        path = maps / f"{prediction.image_id}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, prediction.score_map)
        rows.append(",".join([prediction.image_id, *map(str, prediction.top5)]))
    (maps / "predictions.csv").write_text("\n".join(rows) + "\n")
    files = Outputs(output=tmp_path / "files")
    again = evaluate_maps(maps, manifest, EvaluationSettings(masks=False), outputs=files)
    assert again.metrics == scored["cam"].metrics
    assert (tmp_path / "files" / "metrics.json").is_file()
    table = (tmp_path / "files" / "per_image.csv").read_text().splitlines()
    assert len(table) == 1 + len(split)
    assert table[1:] == (tmp_path / "out" / "cam" / "per_image.csv").read_text().splitlines()[1:]
    assert len(list((tmp_path / "out" / "cam" / "overlays").rglob("*.png"))) == 3


def test_maps_of_a_split_without_boxes_are_refused(tiny_manifest, tmp_path):
    manifest = Manifest.read(tiny_manifest)
    with pytest.raises(UserError, match="split 'train' has no boxes or masks to score"):
        evaluate_maps(tmp_path, manifest, EvaluationSettings(split="train"))
    bare = tmp_path / "bare"
    shutil.copytree(tiny_manifest, bare)
    for table in (bare / "boxes.csv", bare / "masks.csv"):
        rows = table.read_text().splitlines()
        kept = [row for row in rows if not row.startswith("val_")]
        assert len(kept) < len(rows)
        table.write_text("\n".join(kept) + "\n")
    info = json.loads((bare / "manifest.json").read_text())
    (bare / "manifest.json").write_text(json.dumps(info | {"hash": tables_hash(bare, exif=False)}))
    with pytest.raises(UserError, match="split 'val' has no boxes or masks to score"):
        evaluate_maps(tmp_path, Manifest.read(bare), EvaluationSettings(thresholds="val"))


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
    from wsol.data.layouts.clutter import LAYOUT
    from wsol.data.prepare import prepare

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


def test_demo_recipes_are_the_committed_ones():
    from pathlib import Path

    configs = Path(__file__).parents[2] / "configs" / "clutter"
    for name, recipe in demo_recipes().items():
        assert Recipe.from_yaml(configs / f"{name}.yaml") == recipe


def test_localize_writes_a_box_a_mask_and_a_picture_an_image(tiny_recipe, tmp_path):
    from wsol.pipeline.localize import localize

    run = train(tiny_recipe)
    # A file beside folders called by splits is an image as any other here.
    images = tmp_path / "images"
    shutil.copytree(Manifest.read(tiny_recipe.data.manifest).root / "images" / "test", images / "test")
    next((images / "test").iterdir()).rename(images / "stray.png")
    table = localize(images, run, tmp_path / "found", threshold=0.5)
    rows = table.read_text().splitlines()
    assert rows[0] == "image_id,class,x0,y0,x1,y1,probability,threshold"
    assert len(rows) == 1 + 11
    for folder in ("masks", "overlays"):
        assert len(list((tmp_path / "found" / folder).rglob("*.png"))) == 11
    corners = np.array([[float(value) for value in row.split(",")[2:6]] for row in rows[1:]])
    assert (corners[:, :2] < corners[:, 2:]).all()
    assert corners.min() >= 0
    assert corners.max() <= 32


def test_localize_leaves_nothing_of_images_one_of_which_is_broken(tiny_recipe, tmp_path):
    from wsol.pipeline.localize import localize

    tiny_recipe = tiny_recipe.changed(evaluation={"batch_size": 2})
    run = train(tiny_recipe)
    images = tmp_path / "images"
    shutil.copytree(Manifest.read(tiny_recipe.data.manifest).root / "images" / "test", images)
    whole = next(images.rglob("*.png")).read_bytes()
    # Neither its header nor its end tells, only decoding does.
    (images / "zzz.png").write_bytes(whole[:100] + bytes(100) + whole[200:])
    with pytest.raises(UserError, match="zzz"):
        localize(images, run, tmp_path / "found", threshold=0.5)
    assert not list((tmp_path / "found").rglob("*"))


def test_localize_shows_the_predicted_class_by_any_source(tiny_recipe, tmp_path):
    from wsol.pipeline.localize import localize

    run = train(tiny_recipe)
    images = Manifest.read(tiny_recipe.data.manifest).root / "images" / "test"
    tables = [
        localize(images, run, tmp_path / maps, maps=maps).read_text()
        for maps in ("cam@predicted", "cam")
    ]
    assert tables[0] == tables[1]
    gradients = localize(images, run, tmp_path / "grad", maps="torchcam:GradCAM")
    assert [row.split(",")[1] for row in gradients.read_text().splitlines()] == [
        row.split(",")[1] for row in tables[0].splitlines()
    ]


def test_evaluate_is_the_library_in_one_call(tiny_recipe):
    """What a user with maps of their own types: predictions and annotations in, metrics out."""
    split = Manifest.read(tiny_recipe.data.manifest).split("test")
    predictions = [
        Prediction(image_id, int(label), score_map=center_map(64))
        for image_id, label in zip(split.image_ids, split.labels, strict=True)
    ]
    scores = evaluate(predictions, split.annotations(), protocol_named("halfopen"), intervals=False)
    assert scores["top1_acc"] is None
    assert scores["max_box_acc@0.3"] >= scores["max_box_acc@0.5"] >= scores["max_box_acc@0.7"]


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


def bytes_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("recipe", ["tiny_recipe", "cross_fit"])
def test_a_record_without_its_gallery_is_not_finished(recipe, request, tmp_path, capsys):
    recipe = request.getfixturevalue(recipe).changed(training={"epochs": 1})
    results = tmp_path / "results"
    benchmark([recipe], seeds=[0], overlays=3)
    pictures, records = bytes_of(results / "report"), bytes_of(results / "runs")
    assert len(pictures) == 7 * len([path for path in records if path.suffix == ".json"])
    shutil.rmtree(results / "report")
    capsys.readouterr()
    benchmark([recipe], seeds=[0], overlays=3)
    assert " -> " not in capsys.readouterr().err
    assert bytes_of(results / "runs") == records
    assert bytes_of(results / "report") == pictures
    for lost in (".jpg", "index.json"):
        next(path for path in (results / "report").rglob(f"*{lost}")).unlink()
        benchmark([recipe], seeds=[0], overlays=3)
        assert bytes_of(results / "report") == pictures
    assert bytes_of(results / "runs") == records


def test_pictures_of_a_run_that_is_gone_are_not_trained_for(tiny_recipe, tmp_path):
    recipe = tiny_recipe.changed(training={"epochs": 1})
    benchmark([recipe], seeds=[0])
    shutil.rmtree(tmp_path / "runs")
    records = bytes_of(tmp_path / "results" / "runs")
    benchmark([recipe], seeds=[0], overlays=3)
    assert not (tmp_path / "runs").exists()
    assert bytes_of(tmp_path / "results" / "runs") == records


def test_where_a_record_is_its_gallery_is(tiny_recipe, tmp_path, monkeypatch):
    """Interrupted between the two, pictures and record are both made by the next call."""
    recipe = tiny_recipe.changed(training={"epochs": 1})
    write = publish._write

    def interrupted(record, scored, folder, stem):
        if record.maps == "features":
            raise KeyboardInterrupt
        write(record, scored, folder, stem)

    monkeypatch.setattr(publish, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        benchmark([recipe], seeds=[0], overlays=3)
    results = tmp_path / "results"
    for record in read_records(results / "runs"):
        assert (results / "report" / record.run_id / "index.json").is_file()
    monkeypatch.undo()
    benchmark([recipe], seeds=[0], overlays=3)
    indices = {path.parent.name for path in results.rglob("index.json")}
    assert indices == {record.run_id for record in read_records(results / "runs")}
    assert len(list((results / "runs").rglob("small_resnet*.json"))) == 2
