"""``wsol iou`` as a user types it: boxes, masks, both, and what is wrong."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from wsol.cli.main import main

TRUE = "image_id,x0,y0,x1,y1\na.jpg,0,0,10,10\na.jpg,20,20,30,40\nb.jpg,5,5,15,15\nsub/c.jpg,,,,\n"


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def table(path):
    with path.open(encoding="utf-8") as file:
        return {row["image_id"]: row for row in csv.DictReader(file)}


def run(folder, predictions, annotations, *more):
    output = folder / "out" / "iou.csv"
    code = main(
        [
            "iou",
            "--predictions",
            predictions,
            "--annotations",
            annotations,
            "--output",
            str(output),
            *more,
        ]
    )
    return code, output


def test_boxes_against_boxes_by_hand(tmp_path, capsys):
    # a: the second predicted box meets the second true one in 10 x 10 of 10 x 20; b: 5 x 10 of 15 x 10.
    predictions = write(
        tmp_path,
        "p.csv",
        "image_id,x0,y0,x1,y1\nb,10,5,20,15\na,50,50,60,60\na,20,20,30,30\nc,1,1,2,2\n",
    )
    code, output = run(tmp_path, predictions, write(tmp_path, "t.csv", TRUE))
    assert code == 0
    rows = table(output)
    assert list(rows) == ["a.jpg", "b.jpg", "sub/c.jpg"]
    assert (rows["a.jpg"]["iou"], rows["a.jpg"]["x0"], rows["a.jpg"]["y1"]) == ("0.5000", "20", "30")
    assert (rows["b.jpg"]["iou"], rows["b.jpg"]["acc@0.3"], rows["b.jpg"]["acc@0.5"]) == (
        "0.3333",
        "1",
        "0",
    )
    assert rows["sub/c.jpg"]["iou"] == rows["sub/c.jpg"]["acc@0.3"] == ""
    printed, notes = capsys.readouterr()
    assert "2 images are few" in notes
    assert "3 images, 1 without an object left out" in printed
    assert "mean_iou  41.67" in printed
    assert "acc@0.5   50.00" in printed


def test_results_in_cocos_form_find_their_images_by_id(tmp_path):
    images = [{"id": number, "file_name": name} for number, name in ((7, "b.jpg"), (8, "sub/a.jpg"))]
    boxes = [{"image_id": 7, "bbox": [0, 0, 10, 10]}, {"image_id": 8, "bbox": [5, 5, 10, 20]}]
    true = write(tmp_path, "t.json", json.dumps({"images": images, "annotations": boxes}))
    results = [{"image_id": 8, "bbox": [5, 5, 10, 10]}, {"image_id": 7, "bbox": [0, 0, 10, 10]}]
    code, output = run(tmp_path, write(tmp_path, "p.json", json.dumps(results)), true)
    assert code == 0
    found = {name: row["iou"] for name, row in table(output).items()}
    assert found == {"b.jpg": "1.0000", "sub/a.jpg": "0.5000"}


def test_inclusive_corners_are_one_longer(tmp_path):
    predictions = write(tmp_path, "p.csv", "image_id,x0,y0,x1,y1\na,0,0,9,4\n")
    true = write(tmp_path, "t.csv", "image_id,x0,y0,x1,y1\na,0,0,9,9\n")
    _, output = run(tmp_path, predictions, true, "--corners", "inclusive")
    assert table(output)["a"]["iou"] == "0.5000"


def masks(folder, suffix):
    folder.mkdir()
    for name, columns in (("a", 4), ("b", 0)):
        mask = np.zeros((6, 8), np.uint8)
        mask[:, :columns] = 255
        if suffix == "png":
            Image.fromarray(mask).save(folder / f"{name}.png")
        else:
            np.save(folder / f"{name}.npy", mask > 0)
    return str(folder)


@pytest.mark.parametrize("suffix", ["png", "npy"])
def test_masks_against_masks_and_boxes(tmp_path, suffix):
    predictions = masks(tmp_path / "predicted", suffix)
    true = tmp_path / "true"
    true.mkdir()
    for name in "ab":
        mask = np.zeros((6, 8), np.uint8)
        mask[:3, :8] = 1
        Image.fromarray(mask).save(true / f"{name}.png")
    _, output = run(tmp_path, predictions, str(true))
    rows = table(output)
    assert rows["a"]["iou"] == f"{12 / (24 + 24 - 12):.4f}"
    assert rows["b"]["iou"] == "0.0000"
    boxes = write(tmp_path, "t.csv", "image_id,x0,y0,x1,y1\na,0,0,4,3\nb,0,0,1,1\n")
    _, output = run(tmp_path, predictions, boxes)
    assert table(output)["a"]["iou"] == "0.5000"


@pytest.mark.parametrize(
    "predictions, message",
    [
        ("image_id,x0,y0,x1,y1\na,0,0,1,1\n", "2 of the 3 annotated images have no prediction, e.g. b"),
        (TRUE + "z.jpg,0,0,1,1\n", "annotations lack, e.g. z.jpg"),
        ("image_id,x0,y0,x1,y1\na,4,0,1,1\n", "line 2"),
        ("something,else\n1,2\n", "no column names the image"),
        ("image_id,x0,y0,x1,y1\n", "no images in it"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(tmp_path, capsys, predictions, message):
    code, output = run(tmp_path, write(tmp_path, "p.csv", predictions), write(tmp_path, "t.csv", TRUE))
    assert code == 2
    assert message in capsys.readouterr().err
    assert not output.exists()


def test_annotations_of_no_image_are_called_so(tmp_path, capsys):
    predictions = write(tmp_path, "p.csv", "image,x0,y0,x1,y1\na,0,0,2,2\n")
    nothing = write(tmp_path, "e.json", "[]")
    assert main(["iou", "--predictions", str(predictions), "--annotations", str(nothing)]) == 2
    assert f"{nothing}: annotates no image" in capsys.readouterr().err


def test_masks_of_another_size_are_named(tmp_path, capsys):
    predictions = masks(tmp_path / "predicted", "png")
    true = tmp_path / "true"
    true.mkdir()
    for name in "ab":
        Image.fromarray(np.ones((5, 5), np.uint8)).save(true / f"{name}.png")
    assert run(tmp_path, predictions, str(true))[0] == 2
    assert "a: a mask has 8 x 6 pixels, the true one 5 x 5" in capsys.readouterr().err


def test_predictions_of_images_of_other_folders_are_named(tmp_path, capsys):
    dogs = "dog/1.jpg,0,0,10,10\ndog/2.jpg,0,0,10,10\n"
    true = write(tmp_path, "t.csv", f"image_id,x0,y0,x1,y1\n{dogs}")
    predictions = write(tmp_path, "p.csv", f"image_id,x0,y0,x1,y1\ncat/1.jpg,90,90,95,95\n{dogs}")
    code, output = run(tmp_path, predictions, true)
    assert code == 2 and not output.exists()
    assert "images that the annotations lack, e.g. cat/1.jpg" in capsys.readouterr().err
    code, output = run(tmp_path, write(tmp_path, "p.csv", f"image_id,x0,y0,x1,y1\n{dogs}"), true)
    assert code == 0 and [row["iou"] for row in table(output).values()] == ["1.0000", "1.0000"]


@pytest.mark.parametrize(
    "names, message",
    [
        (("1.jpg", "1.png"), "images that the annotations lack, e.g. 1.png"),
        (("1.jpg", "1"), "p.csv line 3: '1' is the image 1.jpg, which is already in "),
        (("a/1.jpg", "b/1.jpg"), "p.csv line 3: 'b/1.jpg' is the image 1.jpg, which is already in "),
    ],
)
def test_two_predictions_for_one_image_are_an_error(tmp_path, capsys, names, message):
    true = write(tmp_path, "t.csv", "image_id,x0,y0,x1,y1\n1.jpg,0,0,10,10\n")
    rows = "".join(f"{name},0,0,10,10\n" for name in names)
    code, output = run(tmp_path, write(tmp_path, "p.csv", f"image_id,x0,y0,x1,y1\n{rows}"), true)
    assert code == 2 and not output.exists()
    assert message in capsys.readouterr().err


def test_both_sides_are_read_before_anything_is_said(tmp_path, capsys):
    true = write(tmp_path, "t.csv", "image_id,x0,y0,x1,y1\na,4,0,1,1\n")
    code, _ = run(tmp_path, write(tmp_path, "p.csv", "image_id,x0,y0,x1,y1\na,x,0,1,1\n"), true)
    error = capsys.readouterr().err
    assert (
        code == 2 and "t.csv line 2: x1 (1) is not right" in error and "p.csv line 2: 'x,0,1,1'" in error
    )


def test_columns_that_tell_nothing_of_shapes_are_noted(tmp_path, capsys):
    true = write(tmp_path, "t.csv", "image_id,x0,y0,x1,y1\na,0,0,10,10\n")
    predictions = write(tmp_path, "p.csv", "image_id,x0,y0,x1,y1,area\na,0,0,10,10,0.5\n")
    assert run(tmp_path, predictions, true)[0] == 0
    assert f"note: {predictions}: columns left out: area" in capsys.readouterr().err


def test_a_rule_for_corners_needs_corners(tmp_path, capsys):
    sides = write(tmp_path, "s.csv", "image_id,x,y,width,height\na,0,0,10,10\n")
    assert run(tmp_path, sides, sides, "--corners", "inclusive")[0] == 2
    assert "--corners inclusive has nothing to apply to" in capsys.readouterr().err
    corners = write(tmp_path, "c.csv", "image_id,x0,y0,x1,y1\na,0,0,9,9\n")
    _, output = run(tmp_path, corners, sides, "--corners", "inclusive")
    assert table(output)["a"]["iou"] == "1.0000"


def test_it_imports_no_torch():
    modules = (
        *(
            "cli.iou",
            "cli.evaluate",
            "cli.prepare",
            "cli.list",
            "cli.leaderboard",
            "pipeline.evaluate_maps",
        ),
        *("evaluation.evaluator", "evaluation.per_image_table"),
        *("maps.map_folder", "pipeline.evaluate_maps"),
    )
    code = "import sys, " + ", ".join(f"wsol.{module}" for module in modules)
    code += "; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_two_masks_of_one_name_are_refused_and_two_kinds_of_files_are_not(tmp_path, capsys):
    mask, masks = np.ones((4, 4), np.uint8), tmp_path / "masks"
    masks.mkdir()
    np.save(masks / "a.npy", mask > 0)
    Image.fromarray(mask * 255).save(masks / "b.png")
    code, output = run(tmp_path, str(masks), str(masks))
    assert code == 0 and [row["iou"] for row in table(output).values()] == ["1.0000", "1.0000"]
    np.save(masks / "b.npy", mask > 0)
    assert run(tmp_path, str(masks), str(masks))[0] == 2
    assert "b.png: there is a mask of that name already, b.npy" in capsys.readouterr().err
