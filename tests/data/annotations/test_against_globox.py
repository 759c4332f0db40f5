"""Boxes of five formats against globox (github.com/laclouis5/globox), which writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from wsol.data.annotations.any_format import read_annotations

globox: Any = pytest.importorskip("globox")
WIDTH, HEIGHT = 80, 60


@pytest.fixture
def truth(tmp_path: Path) -> Any:
    """Four images with up to three boxes of two classes, drawn on whole pixels."""
    draw = np.random.default_rng(0)
    found = globox.AnnotationSet()
    (tmp_path / "images").mkdir()
    for number in range(4):
        name = f"{number}.jpg"
        Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "images" / name)
        boxes = []
        for _ in range(number):
            x0, y0 = draw.integers(0, WIDTH - 9), draw.integers(0, HEIGHT - 9)
            x1, y1 = draw.integers(x0 + 1, WIDTH + 1), draw.integers(y0 + 1, HEIGHT + 1)
            corners = {"xmin": float(x0), "ymin": float(y0), "xmax": float(x1), "ymax": float(y1)}
            boxes.append(globox.BoundingBox(label=str(draw.choice(["cat", "dog"])), **corners))
        found.add(globox.Annotation(image_id=name, image_size=(WIDTH, HEIGHT), boxes=boxes))
    return found


def _yolo(truth: Any, folder: Path) -> Path:
    truth.save_yolo_v5(folder, label_to_id={"cat": 0, "dog": 1})
    (folder / "classes.txt").write_text("cat\ndog\n")
    return folder


def _labelme(truth: Any, folder: Path) -> Path:
    truth.save_labelme(folder)
    return folder


def _voc(truth: Any, folder: Path) -> Path:
    truth.save_pascal_voc(folder)
    return folder


def _coco(truth: Any, folder: Path) -> Path:
    folder.mkdir()
    truth.save_coco(folder / "a.json", label_to_id={"cat": 1, "dog": 2}, auto_ids=True)
    return folder


def _cvat(truth: Any, folder: Path) -> Path:
    folder.mkdir()
    truth.save_cvat(folder / "a.xml")
    return folder


@pytest.mark.parametrize("write", [_yolo, _labelme, _voc, _coco, _cvat])
def test_the_same_boxes(tmp_path, truth, write):
    path = write(truth, tmp_path / "written")
    corners = "half-open" if write is _voc else None  # globox writes its numbers as they are
    found = read_annotations(path, tmp_path / "images", corners=corners)
    assert sorted(found) == sorted(truth.image_ids)
    for item in truth:
        image = found[item.image_id]
        said = [[box.xmin, box.ymin, box.xmax, box.ymax] for box in item.boxes]
        np.testing.assert_allclose(image.boxes, np.reshape(said, (-1, 4)), atol=1e-3)
        assert [one.category for one in image.objects] == [box.label for box in item.boxes]
