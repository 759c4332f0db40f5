"""Score maps, from a folder or in memory, are scored as those of a run are."""

import json
import shutil

import numpy as np
import pytest

from wsol.data.loading.loader import eval_loader
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_info import tables_hash
from wsol.errors import UserError
from wsol.evaluation.evaluator import evaluate
from wsol.maps.centered import center_map
from wsol.maps.reading import MapReader
from wsol.pipeline.evaluate_maps import evaluate_maps
from wsol.pipeline.evaluate_run import evaluate_run
from wsol.pipeline.model import Model
from wsol.pipeline.outputs.publish import Outputs
from wsol.pipeline.train import train
from wsol.recipe import EvaluationSettings
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Prediction


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


def test_thresholds_of_val_need_its_maps_and_say_so(tiny_manifest, tmp_path):
    manifest = Manifest.read(tiny_manifest)
    for image_id in manifest.split("test").image_ids:
        np.save(tmp_path / f"{image_id}.npy", center_map(8))
    evaluate_maps(tmp_path, manifest, EvaluationSettings(thresholds="fixed:0.5"))
    with pytest.raises(UserError, match=r"chosen on val: give the maps of val too, or --thresholds "):
        evaluate_maps(tmp_path, manifest, EvaluationSettings(thresholds="val"))
    # Of the scored split itself it is said plainly.
    with pytest.raises(UserError, match=r"^[^:]*: no score map"):
        evaluate_maps(tmp_path, manifest, EvaluationSettings(split="val"))


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
