"""Names that a spreadsheet would run as formulas come back from every table that we write and read."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

import wsol
from wsol.cli.main import main
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.formats.csv_boxes import read_csv
from wsol.data.layouts.custom import custom_manifest
from wsol.data.manifest.manifest_info import tables_hash
from wsol.data.manifest.table_files import COLUMNS, TableFile, read_rows
from wsol.files.csv_table import write_csv
from wsol.maps.class_table import read_classes
from wsol.report.published import published

CLASSES = ["'=q", "''@r", "+bird", "-5", "-bird", "=1+1", "@SUM(A1)", "plain"]


@pytest.fixture
def folders(tmp_path):
    """An image in a folder of each class, called like the class."""
    for name in CLASSES:
        (tmp_path / "images" / name).mkdir(parents=True)
        Image.fromarray(np.full((12, 16, 3), 90, np.uint8)).save(tmp_path / f"images/{name}/{name}.png")
    return tmp_path / "images"


def dangerous(path):
    """Cells that a spreadsheet would run."""
    with path.open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    return [cell for cell in cells if cell[:1] in "=+-@\t\r\n" and cell not in ("", "-5")]


def test_a_manifest_gives_names_back(folders, tmp_path):
    boxes = write_csv(
        tmp_path / "boxes.csv",
        ["image_id", "x0", "y0", "x1", "y1"],
        [[f"{name}/{name}.png", 1, 2, 9, 8] for name in CLASSES],
    )
    manifest = custom_manifest(folders, boxes, tmp_path / "manifest", split="test", one_split=True)
    split = manifest.split("test")
    assert sorted(split.class_keys) == sorted(CLASSES)
    assert sorted(split.image_ids) == sorted(f"{name}/{name}" for name in CLASSES)
    assert all(len(one.boxes) == 1 for one in split.annotations().values())
    assert wsol.Manifest.read(tmp_path / "manifest").hash == manifest.hash
    for table in COLUMNS:
        assert not dangerous(tmp_path / "manifest" / table)
    assert "'=1+1/=1+1" in (tmp_path / "manifest" / "images.csv").read_text()


def test_a_table_that_is_widened_keeps_names(tmp_path):
    table = TableFile(tmp_path / "masks.csv", COLUMNS["masks.csv"], ("parts",))
    for name in CLASSES:
        table.add((name, f"{name}.png", ""))
    table.add(("last", "m.png", ""), {"parts": "=p.png"})
    table.close()
    rows = [cells for _, cells in read_rows(tmp_path / "masks.csv")]
    assert rows[:-1] == [[name, f"{name}.png", "", ""] for name in CLASSES]
    assert rows[-1] == ["last", "m.png", "", "=p.png"]
    assert not dangerous(tmp_path / "masks.csv")


def test_a_manifest_of_before_is_read(folders, tmp_path):
    """Its cells have no apostrophes in front, and its hash is that of its own bytes."""
    manifest = custom_manifest(folders, [], tmp_path / "manifest", split="test", one_split=True)
    plain = [name for name in CLASSES if not name.startswith("'")]
    for table in ("images.csv", "classes.csv"):
        path = tmp_path / "manifest" / table
        text = path.read_text()
        for name in plain:
            text = text.replace(f",'{name}", f",{name}").replace(f"\n'{name}", f"\n{name}")
        path.write_text(text)
    info = tmp_path / "manifest" / "manifest.json"
    own = tables_hash(tmp_path / "manifest", exif=manifest.exif)
    info.write_text(info.read_text().replace(manifest.hash, own))
    again = wsol.Manifest.read(tmp_path / "manifest")
    assert again.class_keys == manifest.class_keys
    assert again.split("train").image_ids == manifest.split("train").image_ids


def test_boxes_that_were_written_are_annotations(tmp_path):
    path = write_csv(
        tmp_path / "found.csv",
        ["image_id", "class", "x0", "y0", "x1", "y1"],
        [[name, name, "1.00", "2.00", "9.00", "8.00"] for name in CLASSES],
    )
    reading = AnnotationPass(None)
    images = read_csv(path, reading)
    assert not reading.findings
    assert [(image.file, image.label) for image in images] == [(name, name) for name in CLASSES]
    assert main(["iou", "--predictions", str(path), "--annotations", str(path), "--output",
                 str(tmp_path / "iou.csv")]) == 0  # fmt: skip
    assert not dangerous(tmp_path / "iou.csv")
    with (tmp_path / "iou.csv").open(newline="") as file:
        assert [row["iou"] for row in csv.DictReader(file)] == ["1.0000"] * len(CLASSES)


def test_class_predictions(tmp_path):
    rows = [[f"{name}/{name}", name] for name in CLASSES]
    path = write_csv(tmp_path / "predictions.csv", ["image_id", "key1"], rows)
    labels = {name: label for label, name in enumerate(CLASSES)}
    found = read_classes(path, labels)
    assert found == {f"{name}/{name}": (labels[name],) for name in CLASSES}


def test_published_numbers(tmp_path):
    path = write_csv(tmp_path / "published.csv", ["paper", "value"], [[name, -1.5] for name in CLASSES])
    table = published(path)
    assert table is not None
    assert [str(row.cells[0].text) for row in table.rows] == CLASSES
    assert {str(row.cells[1].text) for row in table.rows} == {"-1.5"}
