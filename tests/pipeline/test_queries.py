"""A data set that is scored by queries, from its maps to its table and pictures."""

from __future__ import annotations

import csv
import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from wsol.data.inspection.contact_sheet import contact_sheet
from wsol.data.inspection.data_check import check_data
from wsol.data.loading.loader import eval_loader, train_loader
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_draft import DraftBox, DraftClass, DraftImage, ManifestDraft
from wsol.data.manifest.manifest_writing import write_manifest
from wsol.data.manifest.queries import scored_split
from wsol.data.splits.folds import folds
from wsol.errors import UserError
from wsol.maps.reading import MapReader
from wsol.pipeline.baselines import evaluate_baselines
from wsol.pipeline.evaluate_maps import evaluate_maps
from wsol.pipeline.evaluate_run import evaluate_run
from wsol.pipeline.leaderboard import leaderboard
from wsol.pipeline.model import Model
from wsol.pipeline.outputs.publish import Outputs
from wsol.pipeline.results.verify import verify
from wsol.pipeline.train import train
from wsol.pipeline.training_set import settings_on
from wsol.recipe import EvaluationSettings
from wsol.training.validation import validate

SETTINGS = EvaluationSettings(protocol="halfopen", step=0.1)
LEFT, RIGHT = (0.0, 0.0, 16.0, 16.0), (16.0, 16.0, 32.0, 32.0)


@pytest.fixture
def company(tiny_manifest, tmp_path):
    """Three test images of 32 x 32 (u and v: classes 0 and 1, w: class 1), two of val, one of train."""
    root = tmp_path / "pictures"
    root.mkdir()
    keys = Manifest.read(tiny_manifest).class_keys
    rng = np.random.default_rng(0)

    def image(name, split, *boxes, label=None, masks=()):
        Image.fromarray(rng.integers(0, 255, (32, 32, 3), np.uint8)).save(root / f"{name}.png")
        own = [DraftBox(box, box, name, number, place) for place, (number, box) in enumerate(boxes)]
        return DraftImage(name, f"{name}.png", label, split, tuple(own), masks)

    Image.fromarray(np.full((32, 32), 255, np.uint8)).save(root / "mask.png")
    both = ((0, LEFT), (1, RIGHT))
    images = [
        image("u", "test", *both, label=0, masks=(("mask.png", ""),)),
        image("v", "test", *both, label=1),
        image("w", "test", (1, LEFT)),
        image("x", "val", *both),
        image("y", "val", (0, LEFT)),
        image("t", "train", label=0),
    ]
    draft = ManifestDraft("company", "Company", "1", root, [DraftClass(k, k) for k in keys], images)
    draft.queries = True
    write_manifest(tmp_path / "company", draft)
    return Manifest.read(tmp_path / "company")


def quadrant(box, size=32):
    x0, y0, x1, y1 = map(int, box)
    score_map = np.zeros((size, size), np.float32)
    score_map[y0:y1, x0:x1] = 1
    return score_map


@pytest.fixture
def maps(company, tmp_path):
    """Right for both of u, for one of v and for w: the map of v is one for all its queries."""
    split = scored_split(company, "test")
    folder = tmp_path / "maps"
    folder.mkdir()
    u_first, u_second, _, _, w = split.image_ids
    np.save(folder / f"{u_first}.npy", quadrant(LEFT))
    np.save(folder / f"{u_second}.npy", quadrant(RIGHT))
    np.save(folder / "v.npy", quadrant(LEFT))
    np.save(folder / f"{w}.npy", quadrant(LEFT))
    # u: both found; v: 2 of first two is not there, one of two; w: the first is not there.
    (folder / "predictions.csv").write_text("image_id,label1,label2\nu,1,0\nv,0,2\nw,0,1\n")
    return folder


def test_maps_are_scored_by_query(company, maps, tmp_path):
    outputs = Outputs(tmp_path / "results", tmp_path / "out", overlays=9, masks=True)
    scores = evaluate_maps(maps, company, SETTINGS, outputs=outputs)
    ids = scored_split(company, "test").image_ids
    assert scores.per_image.image_ids.tolist() == ids
    assert scores["max_box_acc@0.7"] == pytest.approx(80.0)  # the second query of v is missed
    assert scores["top1_within"] == pytest.approx(100 * 2 / 3)
    assert scores["recall_at_k"] == pytest.approx(60.0)
    assert scores["top1_acc"] is None and scores["top1_loc@0.5"] is None
    assert scores["pxap"] is None and scores.per_image.positives is None  # a mask is of no one class
    table = list(csv.DictReader((tmp_path / "out/per_image.csv").open()))
    assert [row["image_id"] for row in table] == ids
    assert [row["correct@0.5"] for row in table] == ["1", "1", "1", "0", "1"]
    assert [row["class"] for row in table] == [company.classes[label] for label in (0, 1, 0, 1, 1)]
    assert table[3]["true_x0"] == "16.00" and {row["top1"] for row in table} == {""}
    for folder in ("overlays", "masks"):
        names = {path.name for path in (tmp_path / "out" / folder).iterdir()}
        assert names == {f"{own}.png" for own in ids}


def test_the_record_and_the_table_have_the_figures_of_queries(company, maps, tmp_path):
    results = tmp_path / "results"
    evaluate_maps(maps, company, SETTINGS, outputs=Outputs(results, overlays=2))
    (record,) = (results / "runs").rglob("*.json")
    content = json.loads(record.read_text())
    assert content["n_images"] == content["n_expected"] == 5
    assert content["metrics"]["recall_at_k"]["value"] == pytest.approx(60.0)
    verified = verify(results)  # the arrays alone give the same figures
    assert verified.equal == 1 and verified.findings == []
    frame = leaderboard(results, write=True)
    assert frame["top1_within"].tolist() == [66.667] and frame["recall_at_k"].tolist() == [60.0]
    assert np.isnan(frame["top1_acc"].iloc[0])
    said = (results / "leaderboard.md").read_text()
    assert "split test, 5 queries." in said
    assert "Top-1 within" in said and "Recall at k" in said


def test_a_map_that_neither_a_query_nor_its_image_has_is_missed(company, maps):
    (maps / "v.npy").unlink()
    with pytest.raises(UserError, match=r"no score map .* for 2 of 5 images, e\.g\. v@"):
        evaluate_maps(maps, company, SETTINGS)
    np.save(maps / "v.npy", quadrant(LEFT))
    (maps / "predictions.csv").write_text("image_id,label1,label2\nu,1,0\nw,0,1\n")
    with pytest.raises(UserError, match=r"no row for 2 of 5 images, e\.g\. v@"):
        evaluate_maps(maps, company, SETTINGS)


def test_a_querys_own_map_goes_before_its_images(company, maps):
    missed = scored_split(company, "test").image_ids[3]
    np.save(maps / f"{missed}.npy", quadrant(RIGHT))
    assert evaluate_maps(maps, company, SETTINGS)["max_box_acc@0.7"] == 100.0


def test_thresholds_of_val_are_chosen_on_its_queries(company, maps):
    for own in scored_split(company, "val").image_ids:
        np.save(maps / f"{own}.npy", quadrant(LEFT))
    with (maps / "predictions.csv").open("a") as table:
        table.write("x,0,1\ny,0,1\n")
    settings = EvaluationSettings(protocol="halfopen", step=0.1, thresholds="val")
    scores = evaluate_maps(maps, company, settings)
    assert scores["gt_known_loc@0.5"] == 80.0 and scores.threshold["chosen_on"] == "val"


def test_a_split_without_boxes_has_no_queries(company, maps):
    with pytest.raises(UserError, match="split 'train' has no boxes or masks to score"):
        evaluate_maps(maps, company, EvaluationSettings(split="train"))
    bare = dataclasses.replace(company.tables, box_rows=company.tables.box_rows[:0])
    without = dataclasses.replace(company, tables=bare)
    with pytest.raises(UserError, match="split 'test' has no boxes to make queries of"):
        evaluate_maps(maps, without, SETTINGS)


def test_a_run_is_scored_on_queries_by_the_maps_of_their_classes(company, tiny_recipe, tmp_path):
    model = Model.open(train(tiny_recipe), tiny_recipe.how)
    settings = EvaluationSettings(protocol="halfopen", step=0.1, maps=["cam"])
    outputs = Outputs(tmp_path / "results", tmp_path / "out", overlays=3)
    (scores,) = evaluate_run(model, settings, manifest=company, outputs=outputs).values()
    split = scored_split(company, "test")
    reader = MapReader(model.localizer, split.class_keys)
    found = {one.image_id: one for one in reader.predictions(eval_loader(split, model.recipe), "cam")}
    assert list(found) == split.image_ids
    first, second = (found[own].score_map for own in split.image_ids[:2])
    assert not np.array_equal(first, second)  # of one image, of two classes
    shown = {own: one.present for own, one in split.annotations().items()}
    within = {own.partition("@")[0]: found[own].top5[0] in shown[own] for own in found}
    assert scores["top1_within"] == pytest.approx(100 * np.mean([*within.values()]))
    recall = [found[own].label in found[own].top5[: len(shown[own])] for own in found]
    assert scores["recall_at_k"] == pytest.approx(100 * np.mean(recall))
    # The pictures that a record lacks are drawn again from some of its queries.
    (record,) = (tmp_path / "results/runs").rglob("*.json")
    gallery = tmp_path / "results/report" / record.stem.rpartition("-")[2]
    for path in gallery.iterdir():
        path.unlink()
    evaluate_run(model, settings, manifest=company, outputs=Outputs(tmp_path / "results", overlays=3))
    assert any(path.suffix != ".json" for path in gallery.iterdir())
    log = validate(model.localizer, company, model.recipe)
    assert set(log) == {"val_cls", "val_loc"}


def test_every_query_has_a_class_whatever_the_label_of_its_image(company):
    assert (company.split("test").labels < 0).any()
    settings = dataclasses.replace(SETTINGS, maps=["cam"])
    assert settings_on(company, settings).maps == ("cam",)
    images = dataclasses.replace(company, queries=False)
    assert settings_on(images, settings).maps == ("cam@predicted",)


def test_a_data_set_is_looked_at_by_images(company, tmp_path):
    report = check_data(company)
    assert report.findings == [] and report.several_classes == {"test": 2, "val": 1}
    assert contact_sheet(company.split("test"), tmp_path / "sheet.png", images=9).is_file()


def test_baselines_of_queries_have_no_masks(company, tiny_recipe):
    recipe = tiny_recipe.changed(
        data={"name": "company", "manifest": company.folder.as_posix()}, evaluation={"masks": True}
    )
    evaluate_baselines(recipe)
    assert sorted(leaderboard(recipe.how.results)["maps"]) == ["center", "intensity"]


def test_queries_are_not_trained_on(company, tiny_recipe):
    assert len(train_loader(company.split("train"), tiny_recipe, epoch=0)) == 1
    with pytest.raises(UserError) as caught:
        train_loader(scored_split(company, "test"), tiny_recipe, epoch=0)
    assert str(caught.value) == (
        f"{company.folder}: the queries of split 'test' cannot be trained on: train on images"
    )
    with pytest.raises(UserError, match=r"is scored by queries, which cannot be trained on: no train"):
        folds(company, 2)
