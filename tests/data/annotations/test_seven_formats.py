"""The same boxes written by seven tools are the same boxes, and the same figures, seven times."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.cli.main import main
from wsol.data.annotations.any_format import read_annotations
from wsol.data.layouts.custom import custom_manifest

WIDTH, HEIGHT = 80, 60
# Half-open pixels by image; c shows nothing.
TRUE = {"a": [(20, 15, 60, 45)], "b": [(0, 0, 30, 20)], "c": []}
PREDICTED = {"a": (20, 15, 60, 30), "b": (10, 10, 40, 30)}
# By hand: 40 x 15 of 40 x 30; 20 x 10 of 600 + 600 - 200.
IOUS = {"a": 0.5, "b": 200 / 1000}
FORMATS = ("yolo", "labelme", "cvat", "coco", "voc", "csv", "masks")


def written(kind: str, folder: Path) -> Path:
    """What ``TRUE`` is in one format, each in the layout that its tool exports."""
    path = globals()[f"_{kind}"](folder)
    assert isinstance(path, Path)
    return path


def _yolo(folder: Path) -> Path:
    (folder / "labels").mkdir(parents=True)
    (folder / "data.yaml").write_text("names:\n  0: cat\n  1: bird\n")
    (folder / "README.txt").write_text("Exported on Monday.\n")
    for name, boxes in TRUE.items():
        rows = [
            f"1 {(x0 + x1) / 2 / WIDTH} {(y0 + y1) / 2 / HEIGHT}"
            f" {(x1 - x0) / WIDTH} {(y1 - y0) / HEIGHT}"
            for x0, y0, x1, y1 in boxes
        ]
        (folder / "labels" / f"{name}.txt").write_text("".join(f"{row}\n" for row in rows))
    return folder


def _labelme(folder: Path) -> Path:
    folder.mkdir()
    for name, boxes in TRUE.items():
        shapes = [
            # From the lower right corner to the upper left one.
            {
                "label": "bird",
                "points": [[x1, y1], [x0, y0]],
                "shape_type": "rectangle",
                "group_id": None,
            }
            for x0, y0, x1, y1 in boxes
        ]
        content = {"shapes": shapes, "imagePath": f"..\\images\\{name}.jpg", "imageData": None}
        content |= {"imageHeight": HEIGHT, "imageWidth": WIDTH, "flags": {}, "version": "5.4.1"}
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def _cvat(folder: Path) -> Path:
    folder.mkdir()
    images = "".join(
        f'<image id="0" name="{name}.jpg" width="{WIDTH}" height="{HEIGHT}">'
        + "".join(
            f'<box label="bird" xtl="{x0}.00" ytl="{y0}.00" xbr="{x1}.00" ybr="{y1}.00" z_order="0"/>'
            for x0, y0, x1, y1 in boxes
        )
        + "</image>"
        for name, boxes in TRUE.items()
    )
    path = folder / "annotations.xml"
    path.write_text(f'<?xml version="1.0"?><annotations><version>1.1</version>{images}</annotations>')
    return path


def _coco(folder: Path) -> Path:
    folder.mkdir()
    images = [
        {"id": n, "file_name": f"{name}.jpg", "width": WIDTH, "height": HEIGHT}
        for n, name in enumerate(TRUE)
    ]
    items = [
        {"image_id": n, "category_id": 5, "bbox": [x0, y0, x1 - x0, y1 - y0]}
        for n, boxes in enumerate(TRUE.values())
        for x0, y0, x1, y1 in boxes
    ]
    content = {"images": images, "annotations": items, "categories": [{"id": 5, "name": "bird"}]}
    (folder / "instances.json").write_text(json.dumps(content))
    return folder


def _voc(folder: Path) -> Path:
    folder.mkdir()
    for name, boxes in TRUE.items():
        objects = "".join(
            f"<object><name>bird</name><bndbox><ymax>{y1}</ymax><xmax>{x1}</xmax><ymin>{y0 + 1}</ymin>"
            f"<xmin>{x0 + 1}</xmin></bndbox></object>"
            for x0, y0, x1, y1 in boxes
        )
        size = "<size><width>0</width><height>0</height></size>"  # labelImg
        (folder / f"{name}.xml").write_text(f"<annotation>{size}{objects}</annotation>")
    return folder


def _csv(folder: Path) -> Path:
    folder.mkdir()
    rows = [
        f"{name}.jpg,bird,{','.join(map(str, box))}\n" for name, boxes in TRUE.items() for box in boxes
    ]
    path = folder / "boxes.csv"
    path.write_text("image,label,x0,y0,x1,y1\n" + "".join(rows) + "c.jpg,,,,,\n")
    return path


def _masks(folder: Path) -> Path:
    folder.mkdir()
    for name, boxes in TRUE.items():
        pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
        for x0, y0, x1, y1 in boxes:
            pixels[y0:y1, x0:x1] = 255
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for name in TRUE:
        Image.new("RGB", (WIDTH, HEIGHT)).save(folder / f"{name}.jpg")
    return folder


@pytest.mark.parametrize("kind", FORMATS)
def test_boxes_of_the_images_that_are_there(tmp_path, images, kind):
    found = read_annotations(written(kind, tmp_path / kind), images)
    assert sorted(found) == ["a.jpg", "b.jpg", "c.jpg"]
    for name, boxes in TRUE.items():
        image = found[f"{name}.jpg"]
        if kind == "masks":
            rows, columns = np.nonzero(image.mask())
            ends = [(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)] if boxes else []
            assert ends == boxes
        else:
            np.testing.assert_allclose(image.boxes, np.reshape(boxes, (-1, 4)), atol=1e-5)
            assert image.categories == (["bird"] if boxes else [])


@pytest.mark.parametrize("kind", FORMATS)
def test_a_manifest_has_the_same_boxes(tmp_path, images, kind):
    manifest = custom_manifest(images, written(kind, tmp_path / kind), tmp_path / "m")
    if kind == "masks":
        assert (tmp_path / "m/masks.csv").read_text().count("a.png") == 1
        return
    with (tmp_path / "m/boxes.csv").open() as file:
        rows = [(row["image_id"], *(float(row[name]) for name in ("x0", "y0", "x1", "y1")))
                for row in csv.DictReader(file)]  # fmt: skip
    assert manifest is not None and [row[0] for row in rows] == ["a", "b"]
    np.testing.assert_allclose([row[1:] for row in rows], [TRUE["a"][0], TRUE["b"][0]], atol=1e-4)


@pytest.mark.parametrize("kind", [name for name in FORMATS if name != "yolo"])
def test_iou_of_made_predictions(tmp_path, kind):
    predicted = tmp_path / "predicted.csv"
    rows = [f"{name}.jpg,{','.join(map(str, box))}\n" for name, box in PREDICTED.items()]
    predicted.write_text("image,x0,y0,x1,y1\n" + "".join(rows) + "c.jpg,,,,\n")
    truth, output = written(kind, tmp_path / kind), tmp_path / "iou.csv"
    arguments = ["--predictions", predicted, "--annotations", truth, "--output", output]
    assert main(["iou", *map(str, arguments)]) == 0
    with output.open() as file:
        found = {Path(row["image_id"]).stem: row["iou"] for row in csv.DictReader(file)}
    assert {name: float(found[name]) for name in IOUS} == pytest.approx(IOUS)
    assert found.get("c", "") == ""


def test_yolo_predictions_and_truth_are_compared_as_shares(tmp_path):
    truth = written("yolo", tmp_path / "yolo")
    (tmp_path / "p").mkdir()
    for name, (x0, y0, x1, y1) in PREDICTED.items():
        sides = f"{(x1 - x0) / WIDTH} {(y1 - y0) / HEIGHT}"
        row = f"1 {(x0 + x1) / 2 / WIDTH} {(y0 + y1) / 2 / HEIGHT} {sides} 0.9\n"
        (tmp_path / "p" / f"{name}.txt").write_text(row)
    (tmp_path / "p" / "c.txt").touch()
    arguments = ["--predictions", tmp_path / "p", "--annotations", truth]
    assert main(["iou", *map(str, arguments), "--output", str(tmp_path / "iou.csv")]) == 0
    with (tmp_path / "iou.csv").open() as file:
        found = [float(row["iou"]) for row in csv.DictReader(file) if row["iou"]]
    assert found == pytest.approx(list(IOUS.values()), abs=1e-4)
