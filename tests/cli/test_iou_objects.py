"""``wsol iou`` with several objects an image: what is printed, and the table of objects."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from wsol.cli.main import main

HEAD = "image_id,x0,y0,x1,y1,label\n"


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def run(folder, predictions, annotations, *more):
    output = folder / "out" / "iou.csv"
    command = ["iou", "--predictions", predictions, "--annotations", annotations]
    return main([*command, "--output", str(output), *more]), output


def rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def objects(output):
    return rows(output.with_name("iou_objects.csv"))


def test_the_table_of_objects_by_hand(tmp_path, capsys):
    true = write(tmp_path, "t.csv", f"{HEAD}a.jpg,0,0,10,10,cat\na.jpg,20,0,30,10,dog\nb.jpg,,,,,\n")
    guess = f"{HEAD}a,20,0,30,8,Dog\na,0,0,10,10,dog\nb,5,5,9,9,cat\n"
    code, output = run(tmp_path, write(tmp_path, "p.csv", guess), true)
    assert code == 0
    found = [
        (row["image_id"], row["class"], row["x0"], row["predicted_class"], row["iou"], row["outcome"])
        for row in objects(output)
    ]
    assert found == [
        ("a.jpg", "cat", "0", "", "0.0000", "missed"),
        ("a.jpg", "dog", "20", "Dog", "0.8000", "matched"),
        ("a.jpg", "", "", "dog", "0.0000", "false positive"),
        ("b.jpg", "", "", "cat", "0.0000", "false positive"),
    ]
    # The best pair of an image knows no classes: that stays the field's figure.
    best = rows(output)[0]
    assert (best["iou"], best["class"], best["true_x1"], best["predicted_class"]) == (
        *("1.0000", "cat", "10"),
        "dog",
    )
    printed = capsys.readouterr().out
    assert "1 predictions are in images without an object" in printed
    assert "one to one: 2 objects, 3 predictions" in printed
    assert "0.5       50.00 [" in printed and "33.33 [" in printed and "no AP" in printed


def test_an_image_without_object_changes_no_figure_of_the_best_pairs(tmp_path, capsys):
    true, guess = f"{HEAD}a,0,0,10,10,\nb,0,0,10,10,\n", f"{HEAD}a,0,0,10,8,\nb,0,0,10,5,\n"
    printed = []
    for more, also in (("", ""), ("c,,,,,\n", "c,1,1,5,5,\n")):
        write(tmp_path, "t.csv", true + more)
        assert run(tmp_path, write(tmp_path, "p.csv", guess + also), str(tmp_path / "t.csv"))[0] == 0
        lines = capsys.readouterr().out.splitlines()
        printed.append([line for line in lines if line.startswith(("mean_iou", "acc@"))])
    assert printed[0] == printed[1] and printed[0][0].startswith("mean_iou  65.00")


def test_classes_are_compared_by_a_table(tmp_path, capsys):
    true = write(tmp_path, "t.csv", f"{HEAD}a,0,0,10,10,horse\nb,0,0,10,10,cat\n")
    guess = write(tmp_path, "p.csv", f"{HEAD}a,0,0,10,10,n02389026\nb,0,0,10,10,n02389026\n")
    _, output = run(tmp_path, guess, true)
    assert [row["outcome"] for row in objects(output)] == ["matched", "matched"]
    assert "classes are not compared; --classes TABLE" in capsys.readouterr().err
    names = write(tmp_path, "names.csv", "class,prediction\nhorse,n02389026\n")
    _, output = run(tmp_path, guess, true, "--classes", names)
    assert [row["outcome"] for row in objects(output)] == ["matched", "missed", "false positive"]


def coco(folder, name, annotations, results=False):
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 20}],
        "categories": [{"id": 3, "name": "cat"}, {"id": 4, "name": "dog"}],
        "annotations": annotations,
    }
    return write(folder, name, json.dumps(annotations if results else content))


def outline(x0, y0, x1, y1):
    return {"segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]], "bbox": [x0, y0, x1 - x0, y1 - y0]}


def test_results_in_cocos_form_name_classes_by_number(tmp_path):
    true = [{"image_id": 1, "category_id": 3, "bbox": [0, 0, 10, 10]}]
    guess = [{"image_id": 1, "category_id": number, "bbox": [0, 0, 10, 10]} for number in (4, 3)]
    _, output = run(tmp_path, coco(tmp_path, "p.json", guess, True), coco(tmp_path, "t.json", true))
    found = [(row["predicted_class"], row["outcome"]) for row in objects(output)]
    assert found == [("cat", "matched"), ("dog", "false positive")]


def test_masks_of_several_objects_are_matched_as_masks(tmp_path):
    pytest.importorskip("pycocotools")
    # The boxes of both predictions fit; the second mask is a triangle of half the box.
    whole, half = outline(0, 0, 10, 10), outline(20, 0, 40, 20)
    true = [{"image_id": 1, "category_id": 3, **shape} for shape in (whole, half)]
    half = half | {"segmentation": [[20, 0, 40, 0, 20, 20]]}
    guess = [{"image_id": 1, "category_id": 3, **shape} for shape in (half, whole)]
    _, output = run(tmp_path, coco(tmp_path, "p.json", guess), coco(tmp_path, "t.json", true))
    found = [(row["outcome"], float(row["iou"])) for row in objects(output)]
    # COCO's rasteriser gives the triangle a pixel less a row: 190 of 400.
    assert found[0] == ("matched", 1.0)
    assert found[1:] == [("missed", 0.475), ("false positive", 0.475)]


def test_an_ignored_crowd_takes_predictions(tmp_path, capsys):
    true = [
        {"image_id": 1, "category_id": 3, "bbox": [0, 0, 10, 10]},
        {"image_id": 1, "category_id": 3, "bbox": [20, 0, 20, 20], "iscrowd": 1},
    ]
    guess = [{"image_id": 1, "category_id": 3, "bbox": [x, 0, 10, 10]} for x in (0, 20, 30)]
    _, output = run(tmp_path, coco(tmp_path, "p.json", guess, True), coco(tmp_path, "t.json", true))
    assert [row["outcome"] for row in objects(output)] == ["matched", *["ignored"] * 3]
    assert "1 objects to ignore do not count" in capsys.readouterr().out


def voc(folder, name, corners):
    folder.mkdir(exist_ok=True)
    x0, y0, x1, y1 = corners
    box = f"<xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
    text = f"<annotation><object><name>cat</name><bndbox>{box}</bndbox></object></annotation>"
    write(folder, f"{name}.xml", text)


def test_each_side_has_its_own_rule_for_corners(tmp_path, capsys):
    voc(tmp_path / "voc", "1", (1, 1, 10, 10))
    guess = write(tmp_path, "p.csv", "image_id,x0,y0,x1,y1\n1,0,0,9,9\n")
    _, output = run(tmp_path, guess, str(tmp_path / "voc"))
    assert rows(output)[0]["iou"] == "0.8100"
    _, output = run(tmp_path, guess, str(tmp_path / "voc"), "--prediction-corners", "inclusive")
    assert rows(output)[0]["iou"] == "1.0000"
    sides = write(tmp_path, "s.csv", "image_id,x,y,width,height\n1,0,0,10,10\n")
    assert run(tmp_path, guess, sides, "--annotation-corners", "voc")[0] == 2
    assert "--annotation-corners voc has nothing to apply to" in capsys.readouterr().err


def test_shares_take_the_size_from_wherever_it_is_told(tmp_path, capsys):
    guess = write(tmp_path, "p.csv", "image_id,x0,y0,x1,y1\na.png,0,0,0.5,0.5\n")
    true = write(tmp_path, "t.csv", "image_id,x0,y0,x1,y1\na.png,0,0,20,5\n")
    share = ("--prediction-corners", "shares")
    assert run(tmp_path, guess, true, *share)[0] == 2
    assert (
        "whose size nothing tells; name the folder of the images by --images" in capsys.readouterr().err
    )
    (tmp_path / "images").mkdir()
    Image.fromarray(np.zeros((20, 40), np.uint8)).save(tmp_path / "images" / "a.png")
    _, output = run(tmp_path, guess, true, *share, "--images", str(tmp_path / "images"))
    assert rows(output)[0]["iou"] == "0.5000"
    sized = write(tmp_path, "s.csv", "image_id,x0,y0,x1,y1,width,height\na.png,0,0,20,5,40,20\n")
    _, output = run(tmp_path, guess, sized, *share)
    assert rows(output)[0]["iou"] == "0.5000"
    _, output = run(tmp_path, guess, guess, "--corners", "shares")
    assert rows(output)[0]["iou"] == "1.0000"
    assert "1 images are compared in shares on both sides" in capsys.readouterr().err


def test_what_is_wrong_with_masks_is_told_of_all_images_and_no_table_is_left(tmp_path, capsys):
    for side, shape in (("p", (6, 8)), ("t", (5, 5))):
        (tmp_path / side).mkdir()
        for name in "ab":
            Image.fromarray(np.full(shape, 255, np.uint8)).save(tmp_path / side / f"{name}.png")
    code, output = run(tmp_path, str(tmp_path / "p"), str(tmp_path / "t"))
    error = capsys.readouterr().err
    assert code == 2 and "a: a mask has 8 x 6" in error and "b: a mask has 8 x 6" in error
    assert not list(output.parent.glob("*"))


RESULTS = [{"image_id": 1, "category_id": 3, "bbox": [0, 0, 10, 10], "score": 0.9}]
LISTED = {
    "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}],
    "categories": [{"id": 3, "name": "dog"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 3, "bbox": [0, 0, 10, 10]},
        {"id": 2, "image_id": 2, "category_id": 3, "bbox": [0, 0, 10, 10]},
    ],
}


@pytest.mark.parametrize(("results", "mean"), [(RESULTS, "50.00"), ([], "0.00")])
def test_results_say_of_images_they_do_not_name_that_nothing_was_found(tmp_path, capsys, results, mean):
    truth, predictions = tmp_path / "t.json", tmp_path / "p.json"
    truth.write_text(json.dumps(LISTED))
    predictions.write_text(json.dumps(results))
    arguments = ["--annotations", str(truth), "--predictions", str(predictions)]
    assert main(["iou", *arguments, "--output", str(tmp_path / "o.csv")]) == 0
    told = capsys.readouterr()
    assert f"mean_iou  {mean}" in told.out
    assert f"{2 - len(results)} of 2 annotated images have no prediction" in told.err


def test_results_are_named_where_the_truth_does_not_tell_their_ids(tmp_path, capsys):
    truth, predictions = tmp_path / "t.csv", tmp_path / "p.json"
    truth.write_text("image_id,x0,y0,x1,y1\na.jpg,0,0,10,10\n")
    predictions.write_text(json.dumps(RESULTS))
    arguments = ["--annotations", str(truth), "--predictions", str(predictions)]
    assert main(["iou", *arguments, "--output", str(tmp_path / "o.csv")]) == 2
    assert "COCO's results name images by ids, e.g. '1'" in capsys.readouterr().err


def test_images_without_prediction_are_an_error_unless_they_are_said_to_be_nothing(tmp_path, capsys):
    truth, predictions = tmp_path / "t.csv", tmp_path / "p.csv"
    truth.write_text("image_id,x0,y0,x1,y1\na,0,0,10,10\nb,0,0,10,10\n")
    predictions.write_text("image_id,x0,y0,x1,y1\na,0,0,10,10\n")
    arguments = ["iou", "--annotations", str(truth), "--predictions", str(predictions)]
    arguments += ["--output", str(tmp_path / "o.csv")]
    assert main(arguments) == 2
    assert "--missing-is-nothing says it of them all" in capsys.readouterr().err
    assert main([*arguments, "--missing-is-nothing"]) == 0
    assert "mean_iou  50.00" in capsys.readouterr().out


@pytest.mark.parametrize("output", ["p.csv", "t.csv", "sub/../p.csv"])
def test_what_is_read_is_never_written_over(tmp_path, capsys, output):
    (tmp_path / "sub").mkdir()
    content = "image_id,x0,y0,x1,y1\na,0,0,10,10\n"
    for name in ("p.csv", "t.csv"):
        (tmp_path / name).write_text(content)
    arguments = ["--annotations", str(tmp_path / "t.csv"), "--predictions", str(tmp_path / "p.csv")]
    assert main(["iou", *arguments, "--output", str(tmp_path / output)]) == 2
    assert "choose another" in capsys.readouterr().err
    assert {(tmp_path / name).read_text() for name in ("p.csv", "t.csv")} == {content}


def test_results_that_call_classes_by_number_are_told_by_name(tmp_path):
    truth, predictions = tmp_path / "t.json", tmp_path / "p.json"
    truth.write_text(json.dumps(LISTED))
    predictions.write_text(json.dumps([*RESULTS, {**RESULTS[0], "image_id": 2, "category_id": 9}]))
    arguments = ["--annotations", str(truth), "--predictions", str(predictions)]
    assert main(["iou", *arguments, "--output", str(tmp_path / "o.csv")]) == 0
    for name in ("o.csv", "o_objects.csv"):
        with (tmp_path / name).open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["image_id"] == "a.jpg"]
        assert [(row["class"], row["predicted_class"]) for row in rows] == [("dog", "dog")]
