"""``wsol evaluate --images``: no image changes how the others are scored."""

import csv
import shutil

import numpy as np
import pytest
from PIL import Image

from wsol.cli.main import main
from wsol.data.manifest.manifest import Manifest
from wsol.pipeline.own_images.evaluate_images import APART, evaluate_images
from wsol.pipeline.train import train
from wsol.recipe import EvaluationSettings
from wsol.scores.records import RunRecord

CORNERS = ["x0", "y0", "x1", "y1"]


@pytest.fixture(scope="module")
def trained_run(clutter_cam, tiny_manifest, tmp_path_factory):
    recipe = clutter_cam.changed(
        data={"manifest": tiny_manifest.as_posix(), "input_size": 32, "resize_size": 32},
        training={"epochs": 2, "batch_size": 8, "precision": "32-true"},
        evaluation={"batch_size": 8},
        how={"device": "cpu", "workers": 0, "runs": tmp_path_factory.mktemp("runs").as_posix()},
    )
    return train(recipe)


@pytest.fixture
def photographs(tmp_path, tiny_manifest):
    """Eight images of the tiny test set in a flat folder; rows of name, box and class key."""
    split = Manifest.read(tiny_manifest).split("test")
    annotations = split.annotations()
    (tmp_path / "images").mkdir()
    rows = []
    for number, image_id in enumerate(split.image_ids[:8]):
        shutil.copy(split.paths[number], tmp_path / f"images/{number}.png")
        box = annotations[image_id].boxes[0].tolist()
        rows.append([f"{number}.png", *box, split.class_keys[split.labels[number]]])
    return tmp_path / "images", rows


def table(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["image", *CORNERS, "label"], *rows])
    return path


def figures(evaluation):
    return {key: entry["value"] for key, entry in evaluation.metrics.items()}


def settings(*maps):
    return EvaluationSettings(protocol="halfopen", maps=maps)


def test_images_of_no_known_class_and_without_object_leave_the_others_as_they_are(
    trained_run, photographs, tmp_path, capsys
):
    images, rows = photographs
    known, others = rows[:4], rows[4:]
    alone = evaluate_images(images, table(tmp_path / "a.csv", known), trained_run, settings("cam"))
    assert list(alone) == ["cam"] and alone["cam"]["top1_acc"] is not None
    more = [
        [*others[0][:-1], "fox"],
        [*others[1][:-1], "emu"],
        [*others[2][:-1], ""],
        [others[3][0], "", "", "", "", ""],
    ]
    mixed = evaluate_images(
        images, table(tmp_path / "b.csv", known + more), trained_run, settings("cam")
    )
    assert figures(mixed["cam"]) == figures(alone["cam"]) and mixed["cam"].n_images == 4
    apart = mixed[f"cam@predicted{APART}"]
    assert apart.n_images == 3 and apart["top1_acc"] is None
    said = capsys.readouterr().err
    assert "8 of 8 images are annotated, and 7 are scored" in said
    assert "1 image without object in no figure: 7" in said
    assert (
        "2 images of 2 classes that the model does not know: 'emu', 'fox'" in said
        or "'fox', 'emu'" in said
    )
    assert "1 image without a class" in said and "3 images scored apart from the others" in said
    # Apart, they are scored as they would be alone.
    only = evaluate_images(images, table(tmp_path / "c.csv", more), trained_run, settings("cam"))
    assert list(only) == ["cam@predicted"] and figures(only["cam@predicted"]) == figures(apart)


@pytest.mark.parametrize("source", ["features", "cam@predicted"])
def test_maps_that_need_no_class_are_grouped_alike(trained_run, photographs, tmp_path, source):
    images, rows = photographs
    alone = evaluate_images(images, table(tmp_path / "a.csv", rows[:6]), trained_run, settings(source))
    rows = [*rows[:6], [*rows[6][:-1], "fox"], [*rows[7][:-1], ""]]
    mixed = evaluate_images(images, table(tmp_path / "b.csv", rows), trained_run, settings(source))
    assert figures(mixed[source]) == figures(alone[source])
    assert mixed[source]["top1_acc"] is not None
    assert mixed[source + APART].n_images == 2


def test_one_image_and_one_class(trained_run, photographs, tmp_path):
    """An image without object is not of the folder's only class, nor is one without a class."""
    images, rows = photographs
    one = evaluate_images(images, table(tmp_path / "a.csv", rows[:1]), trained_run, settings("cam"))
    more = [rows[0], [rows[1][0], "", "", "", "", ""], [*rows[2][:-1], ""]]
    mixed = evaluate_images(images, table(tmp_path / "b.csv", more), trained_run, settings("cam"))
    assert figures(mixed["cam"]) == figures(one["cam"]) and mixed["cam"].n_images == 1
    assert mixed[f"cam@predicted{APART}"].n_images == 1
    unknown = [[*rows[0][:-1], "fox"]]
    found = evaluate_images(images, table(tmp_path / "c.csv", unknown), trained_run, settings("cam"))
    assert list(found) == ["cam@predicted"] and found["cam@predicted"].n_images == 1


def test_an_empty_mask_shows_no_object(trained_run, photographs, tmp_path, capsys):
    images, rows = photographs
    for folder, count in (("a", 3), ("b", 4)):
        (tmp_path / folder).mkdir()
        for number, (name, *box, _) in enumerate(rows[:count]):
            x0, y0, x1, y1 = map(int, box)
            mask = np.zeros((32, 32), np.uint8)
            if number < 3:
                mask[y0:y1, x0:x1] = 255
            Image.fromarray(mask).save(tmp_path / folder / name)
    found = [
        evaluate_images(images, tmp_path / folder, trained_run, settings("features")) for folder in "ab"
    ]
    assert figures(found[0]["features"]) == figures(found[1]["features"])
    assert found[0]["features"]["pxap"] is not None and found[1]["features"].n_images == 3
    assert "1 image without object in no figure: 3" in capsys.readouterr().err
    assert not any(key.endswith(APART) for key in found[1])


def test_what_is_scored_apart_is_written_apart(trained_run, photographs, tmp_path, capsys):
    images, rows = photographs
    rows = [*rows[:5], [*rows[5][:-1], "fox"]]
    command = ["evaluate", "--images", images, "--annotations", table(tmp_path / "b.csv", rows)]
    command += ["--run", trained_run, "--maps", "cam", "--device", "cpu", "--workers", "0"]
    command += ["--output", tmp_path / "out", "--results", tmp_path / "results", "--overlays", "1"]
    assert main([str(argument) for argument in command]) == 0
    main_record = RunRecord.read(tmp_path / "out/metrics.json")
    apart = RunRecord.read(tmp_path / "out/unknown_class/metrics.json")
    assert (main_record.n_images, main_record.maps) == (5, "cam")
    assert (apart.n_images, apart.maps) == (1, "cam@predicted")
    assert main_record.run_id != apart.run_id
    assert len(list((tmp_path / "results/runs").rglob("*.json"))) == 1
    assert f"cam@predicted{APART}: 1 image" in capsys.readouterr().out


def test_only_images_without_object(trained_run, photographs, tmp_path, capsys):
    images, rows = photographs
    empty = table(tmp_path / "a.csv", [[rows[0][0], "", "", "", "", rows[0][-1]]])
    command = ["evaluate", "--images", images, "--annotations", empty, "--run", trained_run]
    assert main([str(argument) for argument in (*command, "--output", tmp_path / "out")]) == 2
    assert "no boxes or masks in it" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
