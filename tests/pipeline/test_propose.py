"""`wsol propose`, and what reads it: its lines, what goes on, and a record with its baseline beside."""

import numpy as np
import pytest

from wsol.board import read_records
from wsol.cli.main import main
from wsol.data.layouts.clutter import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare
from wsol.errors import UserError
from wsol.files.pictures.images import open_image
from wsol.maps import map_source
from wsol.maps.proposals.merged_regions import proposals
from wsol.pipeline.benchmark import benchmark
from wsol.pipeline.own_images.evaluate_images import evaluate_images
from wsol.pipeline.own_images.localize import localize
from wsol.pipeline.propose import propose
from wsol.pipeline.train import train
from wsol.recipe import EvaluationSettings


@pytest.fixture
def manifest(tmp_path):
    options = LAYOUT.options()
    options.size, options.train, options.val, options.test = 32, 12, 6, 7
    prepare("clutter", None, tmp_path / "manifest", options=options)
    return tmp_path / "manifest"


def test_what_is_told_and_what_is_there_is_not_made_again(manifest, capsys):
    assert main(["propose", str(manifest), "--jobs", "1"]) == 0
    told = capsys.readouterr().out.splitlines()
    split = Manifest.read(manifest).split("test")
    boxes = {
        name: proposals(open_image(path))
        for name, path in zip(split.image_ids, split.paths, strict=True)
    }
    number = np.mean([len(own) for own in boxes.values()])
    assert told[0].startswith("val: 6 images") or told[1].startswith("val: 6 images")
    line = next(line for line in told if line.startswith("test"))
    assert line.startswith(f"test: 7 images, {number:.1f} proposals an image; the best of each finds a")
    files = {path: path.stat().st_mtime_ns for path in (manifest / "proposals").iterdir()}
    assert main(["propose", str(manifest), "--jobs", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == told
    assert {path: path.stat().st_mtime_ns for path in (manifest / "proposals").iterdir()} == files


def test_two_processes_propose_what_one_does(manifest, monkeypatch):
    monkeypatch.setattr("wsol.maps.proposals.proposal_files.IMAGES", 4)
    propose(manifest, ["test"], jobs=1)
    first = {path.name: path.read_bytes() for path in (manifest / "proposals").iterdir()}
    for path in (manifest / "proposals").iterdir():
        path.unlink()
    propose(manifest, ["test"], jobs=2)
    assert {path.name: path.read_bytes() for path in (manifest / "proposals").iterdir()} == first
    assert len(first) == 2


def test_the_best_box_is_the_largest_iou(manifest):
    split = Manifest.read(manifest).split("test")
    (found,) = propose(manifest, ["test"])
    for value, path, one in zip(found.best, split.paths, split.annotations().values(), strict=True):
        best = 0.0
        for box in proposals(open_image(path)) * 32:
            for true in one.boxes:
                low, high = np.maximum(box[:2], true[:2]), np.minimum(box[2:], true[2:])
                common = np.prod(np.maximum(high - low, 0))
                union = np.prod(box[2:] - box[:2]) + np.prod(true[2:] - true[:2]) - common
                best = max(best, common / union)
        assert value == pytest.approx(best, abs=1e-5)


def test_a_record_of_two_levels_has_the_boxes_alone_beside(manifest, tiny_recipe, tmp_path):
    recipe = tiny_recipe.changed(
        data={"manifest": manifest.as_posix()},
        training={"epochs": 1},
        evaluation={"maps": ["cam", "two_level", "two_level:object"]},
    )
    with pytest.raises(UserError, match="run `wsol propose"):
        train(recipe)
    propose(manifest)
    benchmark(recipe, seeds=[0], overlays=0)
    records = {record.maps: record for record in read_records(tmp_path / "results" / "runs")}
    assert set(records) == {"cam", "two_level", "two_level:object", "proposals", "center", "intensity"}
    assert records["proposals"].recipe["how"]["source"] == {"title": "proposals", "baseline": True}


def test_boxes_that_were_read_are_those_that_are_found_now(manifest):
    propose(manifest)
    split = Manifest.read(manifest).split("test")
    read, now = map_source("proposals"), map_source("proposals")
    read.of_images(split)
    for path in split.paths:
        np.testing.assert_array_equal(read.read(path, 32), now.read(path, 32))


def test_an_unknown_split_and_train_alone_are_refused(manifest, tmp_path):
    with pytest.raises(UserError, match=r"no split 'tset'.*'test'"):
        propose(manifest, ["tset"])
    with pytest.raises(UserError, match="no manifest there"):
        propose(tmp_path / "nothing")


def test_loose_images_have_no_proposals(manifest, tiny_recipe, tmp_path):
    run = train(tiny_recipe.changed(training={"epochs": 1}))
    picture = Manifest.read(manifest).split("test").paths[0]
    with pytest.raises(UserError, match=r"two_level@predicted reads what `wsol propose` keeps"):
        localize(picture, run, output=tmp_path / "out", maps="two_level")
    settings = EvaluationSettings(protocol="halfopen", maps=["two_level:object"])
    with pytest.raises(UserError, match=r"two_level:object reads .*`wsol prepare custom`"):
        evaluate_images(tmp_path, tmp_path / "boxes.csv", run, settings)
    assert not (tmp_path / "out").exists()
