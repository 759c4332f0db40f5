"""A bound from the first step to the board: trained on val's boxes, scored on test, never ranked."""

from __future__ import annotations

import csv

import pytest

import wsol
from wsol.board import read_board
from wsol.board.tables.markdown import to_markdown
from wsol.data.layouts.clutter import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare
from wsol.data.splits.few_shot import few_shot
from wsol.errors import UserError
from wsol.recipe import (
    BackboneSettings,
    DataSettings,
    EvaluationSettings,
    How,
    MethodSettings,
    Recipe,
    TrainingSettings,
)


@pytest.fixture
def recipe(tmp_path):
    options = LAYOUT.options()
    options.size, options.train, options.val, options.test = 32, 20, 60, 12
    prepare("clutter", None, tmp_path / "manifest", options=options)
    return Recipe(
        data=DataSettings(
            manifest=(tmp_path / "manifest").as_posix(), input_size=32, resize_size=40, flip=True
        ),
        backbone=BackboneSettings("small_resnet", options={"widths": [4, 6], "blocks": 1}),
        method=MethodSettings("boxes"),
        training=TrainingSettings(epochs=2, batch_size=5, lr=0.05, boxed_images=2, selection="val_loc"),
        evaluation=EvaluationSettings(batch_size=6),
        how=How(workers=0, results=str(tmp_path / "results"), runs=str(tmp_path / "runs")),
    )


def test_a_bound_stands_below_the_others_and_says_what_it_has_seen(recipe, tmp_path):
    plain = recipe.changed(
        method={"name": "cam"}, training={"boxed_images": 0, "epochs": 1, "selection": "last"}
    )
    wsol.benchmark([recipe, plain])
    (section,) = read_board(tmp_path / "results").sections
    last = section.rows[-1]
    assert last["method"] == "boxes" and not last.competes
    assert [row["method"] for row in section.rows if row.competes] == ["cam"]
    page = to_markdown([section])
    assert "Bounds, below the others and not ranked: boxes (boxes of 2 images a class of val)." in page
    assert "<sup>bound" in page
    (run,) = [path for path in (tmp_path / "runs").iterdir() if "boxes" in path.name]
    log = list(csv.DictReader((run / "log.csv").open()))
    assert {"boxes_loss", "labels_loss", "val_loc"} <= log[0].keys()
    (record,) = last.records
    assert record.recipe["how"]["extra_supervision"] == "boxes of 2 images a class of val"
    assert record.recipe["what"]["training"]["boxed_images"] == 2


def test_what_is_trained_on_chooses_nothing(recipe, tmp_path):
    with pytest.raises(UserError, match=r"score test, with evaluation\.thresholds oracle or fixed"):
        wsol.train(recipe.changed(evaluation={"thresholds": "val"}))
    run = wsol.train(recipe)
    with pytest.raises(UserError, match=r"was trained on images of val with their boxes"):
        wsol.evaluate(run, EvaluationSettings(split="val"))
    manifest = Manifest.read(tmp_path / "manifest")
    cut = few_shot(manifest, 2)
    assert not set(cut.fitted.image_ids) & set(cut.chosen_on.image_ids)
