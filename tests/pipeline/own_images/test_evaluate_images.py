"""``wsol evaluate --images``: a folder of photographs and a file of boxes, nothing prepared before."""

import csv
import shutil

import numpy as np
import pytest
from PIL import Image

from wsol.cli.main import main
from wsol.data.loading.loader import eval_loader
from wsol.data.manifest.manifest import Manifest
from wsol.evaluation.masks import read_mask
from wsol.evaluation.score_map import normalise
from wsol.maps.reading import MapReader
from wsol.pipeline.model import Model
from wsol.pipeline.own_images.localize import localize
from wsol.pipeline.train import train
from wsol.scores.records import RunRecord
from wsol.training.run_folder import RunFolder

CORNERS = ["x0", "y0", "x1", "y1"]


@pytest.fixture
def photographs(tmp_path, tiny_manifest):
    """Five images of the tiny test set and their true boxes, written as ``corners`` says."""

    def write(corners: str):
        split = Manifest.read(tiny_manifest).split("test")
        annotations = split.annotations()
        folder = tmp_path / corners
        folder.mkdir()
        rows = [["image_id", *CORNERS, "label"]]
        for image_id, path, label in list(zip(split.image_ids, split.paths, split.labels, strict=True))[
            :5
        ]:
            name = image_id.replace("/", "-") + ".png"
            shutil.copy(path, folder / name)
            x0, y0, x1, y1 = annotations[image_id].boxes[0].astype(int).tolist()
            shift = (1, 1, 0, 0) if corners == "voc" else (0, 0, 0, 0)
            box = [value + by for value, by in zip((x0, y0, x1, y1), shift, strict=True)]
            rows.append([name, *box, split.class_keys[label]])
        table = tmp_path / f"{corners}.csv"
        write_rows(table, rows)
        return folder, table

    return write


def read_rows(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def write_rows(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def table_of(path):
    header, *rows = read_rows(path)
    return [dict(zip(header, row, strict=True)) for row in rows]


def evaluated(folder, annotations, run, out, *options):
    """Exit code of the command; the rows of its table, if there is one."""
    command = ["evaluate", "--images", folder, "--annotations", annotations, "--run", run]
    command += ["--output", out, "--device", "cpu", "--workers", "0", *options]
    code = main([str(argument) for argument in command])
    table = out / "per_image.csv"
    return code, table_of(table) if table.is_file() else []


def test_boxes_of_either_writing_score_the_same(tiny_recipe, photographs, tmp_path, capsys):
    run = train(tiny_recipe)
    found = {}
    for corners in ("half-open", "voc"):
        folder, table = photographs(corners)
        out = tmp_path / f"out-{corners}"
        command = ["evaluate", "--images", folder, "--annotations", table, "--run", run, "--output", out]
        options = ["--maps", "cam", "--device", "cpu", "--workers", "0", "--corners", corners]
        assert main([str(argument) for argument in command + options]) == 0
        found[corners] = RunRecord.read(out / "metrics.json")
        assert len((out / "per_image.csv").read_text().splitlines()) == 6
        assert len(list((out / "overlays").glob("*.png"))) == 5
    assert found["voc"].metrics == found["half-open"].metrics
    assert found["voc"].n_images == 5
    assert "gt_known_loc@0.5" in capsys.readouterr().out


def test_images_without_any_class_are_read_at_the_predicted_one(
    tiny_recipe, photographs, tmp_path, capsys
):
    run = train(tiny_recipe)
    folder, table = photographs("half-open")
    rows = read_rows(table)
    _, expected = evaluated(folder, table, run, tmp_path / "all", "--maps", "cam@predicted")
    assert [row["top1"] for row in expected].count("") == 0
    write_rows(tmp_path / "none.csv", [row[:-1] for row in rows])
    for name, options in (("own", ()), ("asked", ("--maps", "cam"))):
        code, found = evaluated(folder, tmp_path / "none.csv", run, tmp_path / name, *options)
        said = capsys.readouterr().err
        assert code == 0 and "5 images without a class" in said
        assert "5 images scored by the map of the predicted class" in said
        assert [row["iou"] for row in found] == [row["iou"] for row in expected]
        assert {row["top1"] for row in found} == {""}


def test_masks_are_scored_and_written_whatever_the_recipe_says(tiny_recipe, photographs, tmp_path):
    assert not tiny_recipe.evaluation.masks
    run = train(tiny_recipe)
    folder, table = photographs("half-open")
    for name, *box, _ in read_rows(table)[1:]:
        x0, y0, x1, y1 = map(int, box)
        mask = np.zeros((32, 32), np.uint8)
        mask[y0:y1, x0:x1] = 255
        (tmp_path / "truth").mkdir(exist_ok=True)
        Image.fromarray(mask).save(tmp_path / "truth" / name)
    out = tmp_path / "out"
    code, rows = evaluated(folder, tmp_path / "truth", run, out, "--overlays", 2)
    assert code == 0
    assert len(list((out / "overlays").glob("*.png"))) == 2
    record = RunRecord.read(out / "metrics.json")
    threshold = record.threshold["values"]["mean_iou"]
    split = Manifest.read(tiny_recipe.data.manifest).split("test")
    localizer = trained(run, tiny_recipe)
    maps = {
        prediction.image_id.replace("/", "-"): prediction.score_map
        for prediction in MapReader(localizer, None).predictions(
            eval_loader(split, tiny_recipe), "cam@predicted"
        )
    }
    ious = []
    for row in rows:
        found = read_mask(out / "masks" / f"{row['image_id']}.png")
        np.testing.assert_array_equal(found, normalise(maps[row["image_id"]], (32, 32)) >= threshold)
        inside = normalise(maps[row["image_id"]]) >= threshold
        true = np.kron(read_mask(tmp_path / "truth" / f"{row['image_id']}.png"), np.ones((7, 7), bool))
        ious.append((inside & true).sum() / (inside | true).sum())
        assert all(row[corner] for corner in CORNERS) and row["iou"] == ""
    assert [row["mask_iou"] for row in rows] == [f"{iou:.4f}" for iou in ious]
    assert record.metrics["mean_iou"]["value"] == pytest.approx(100 * np.mean(ious))


def trained(run, recipe):
    return Model.open(run, recipe.how).localizer


def test_every_annotated_image_is_scored_and_what_is_missing_is_said(
    tiny_recipe, photographs, tmp_path, capsys
):
    run = train(tiny_recipe)
    folder, table = photographs("half-open")
    header, *rows = read_rows(table)
    (folder / "train").mkdir()
    for row in rows[:2]:
        (folder / row[0]).rename(folder / "train" / row[0])
    splits = ["", "train", "val", "test", ""]
    named = [*rows[:4], ["gone.png", *rows[4][1:]]]
    told = [[*row, split] for row, split in zip(named, splits, strict=True)]
    write_rows(table, [[*header, "split"], *told])
    code, found = evaluated(folder, table, run, tmp_path / "out", "--maps", "cam")
    said = capsys.readouterr().err
    assert code == 0 and len(found) == 4
    assert "note: 1 of 5 annotated images are not in the folder, e.g. gone.png" in said
    assert "4 of 5 images are annotated, and scored" in said


def test_what_was_drawn_among_the_images_is_no_image(tiny_recipe, photographs):
    run = train(tiny_recipe)
    folder, table = photographs("half-open")
    out = folder / "out"
    first = evaluated(folder, table, run, out, "--maps", "cam")
    assert evaluated(folder, table, run, out, "--maps", "cam") == first
    for _ in range(2):
        assert len(read_rows(localize(folder, run, folder / "found", threshold=0.5))) == 6


def test_the_runs_own_data_and_settings_do_not_matter(
    tiny_recipe, photographs, tmp_path, monkeypatch, capsys
):
    """Classes of its own, a manifest that is not there, another split and threshold policy."""
    run = train(tiny_recipe)
    folder, table = photographs("half-open")
    classes = {"even": ["0", "2", "4", "6", "8"], "odd": ["1"]}
    evaluation = {"split": "val", "thresholds": "val", "maps": ["cam"], "classes": classes}
    recipe = RunFolder(run).recipe().changed(data={"manifest": ""}, evaluation=evaluation)
    recipe.write(run / "recipe.yaml")
    header, *rows = read_rows(table)
    keys = [row[-1] for row in rows]
    monkeypatch.chdir(tmp_path)
    half = ("--thresholds", "fixed:0.5")
    expected = evaluated(folder, table, run, tmp_path / "own", *half)[1]
    even = [[*row[:-1], "even" if int(row[-1]) % 2 == 0 else row[-1]] for row in rows]
    assert even != rows
    write_rows(table, [header, *even])
    found = evaluated(folder, table, run, tmp_path / "even", *half)[1]
    boxes = [[[row[corner] for corner in CORNERS] for row in rows] for rows in (found, expected)]
    same = [one == other for one, other in zip(*boxes, strict=True)]
    assert all(equal for equal, key in zip(same, keys, strict=True) if int(key) % 2) and not all(same)
    assert evaluated(folder, table, run, tmp_path / "plain")[0] == 0
    record = RunRecord.read(tmp_path / "plain" / "metrics.json")
    assert (record.maps, record.threshold["policy"]) == ("cam", "oracle")
    assert "predicted class" not in capsys.readouterr().err
    localize(folder, run, tmp_path / "found")
    assert "threshold 0.2" in capsys.readouterr().err
    assert not (tmp_path / "manifests").exists()


def test_classes_the_run_does_not_know_are_read_at_the_predicted_one(
    tiny_recipe, photographs, tmp_path, capsys
):
    run = train(tiny_recipe)
    folder, table = photographs("half-open")
    header, *rows = read_rows(table)
    write_rows(table, [header, *([*row[:-1], "fox"] for row in rows)])
    code, found = evaluated(folder, table, run, tmp_path / "out")
    assert code == 0 and {row["top1"] for row in found} == {""}
    assert "5 images of 1 class that the model does not know: 'fox'" in capsys.readouterr().err


def test_boxes_or_masks_there_must_be(tiny_recipe, photographs, tmp_path, capsys):
    run = train(tiny_recipe)
    folder, table = photographs("half-open")
    write_rows(table, [[row[0], row[-1]] for row in read_rows(table)])
    assert evaluated(folder, table, run, tmp_path / "out")[0] == 2
    assert "no boxes or masks in it for the images in" in capsys.readouterr().err
    assert evaluated(folder, table, run, tmp_path / "out", "--thresholds", "val")[0] == 2
    assert "one's own images have no val split" in capsys.readouterr().err
