"""Small releases in their official layouts, written by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def write_image(path: Path, width: int, height: int, level: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width, 3), level, np.uint8)).save(path)
    return path


@pytest.fixture
def cub_release(tmp_path: Path) -> Path:
    """Two classes, six images of 40 x 30: 1 to 4 train, 5 and 6 test; the box of 6 sticks out."""
    base = tmp_path / "CUB_200_2011"
    names = ["001.Gull/a", "001.Gull/b", "002.Wren/c", "002.Wren/d", "001.Gull/e", "002.Wren/f"]
    for name in names:
        write_image(base / "images" / f"{name}.jpg", 40, 30)
    numbered = list(enumerate(names, start=1))
    (base / "images.txt").write_text("".join(f"{n} {name}.jpg\n" for n, name in numbered))
    (base / "classes.txt").write_text("1 001.Gull\n2 002.Wren\n3 003.Absent\n")
    (base / "image_class_labels.txt").write_text(
        "".join(f"{n} {int(name[2])}\n" for n, name in numbered)
    )
    (base / "train_test_split.txt").write_text("".join(f"{n} {int(n <= 4)}\n" for n, _ in numbered))
    boxes = [f"{n} 1.0 2.0 10.0 20.0\n" for n in range(1, 6)] + ["6 5.5 6.0 40.0 24.0\n"]
    (base / "bounding_boxes.txt").write_text("".join(boxes))
    return tmp_path


XML = """<annotation><filename>{name}</filename><size><width>{width}</width><height>{height}</height>
<depth>3</depth></size>{objects}</annotation>"""
OBJECT = """<object><name>{key}</name><bndbox><xmin>{0}</xmin><ymin>{1}</ymin><xmax>{2}</xmax>
<ymax>{3}</ymax></bndbox></object>"""


def write_xml(
    path: Path, key: str, boxes: list[tuple[int, int, int, int]], size: tuple[int, int]
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    objects = "".join(OBJECT.format(*box, key=key) for box in boxes)
    path.write_text(XML.format(name=path.stem, width=size[0], height=size[1], objects=objects))


@pytest.fixture
def imagenet_release(tmp_path: Path) -> Path:
    """Two classes with two train images each; two val images of 50 x 40, the first with two boxes."""
    base = tmp_path / "ILSVRC"
    for key in ("n02", "n01"):
        for number in (7, 3):
            write_image(base / f"Data/CLS-LOC/train/{key}/{key}_{number}.JPEG", 20, 20)
    for number in (1, 2):
        write_image(base / f"Data/CLS-LOC/val/ILSVRC2012_val_{number}.JPEG", 50, 40)
    annotations = base / "Annotations/CLS-LOC/val"
    write_xml(annotations / "ILSVRC2012_val_1.xml", "n02", [(0, 0, 49, 39), (10, 11, 20, 31)], (50, 40))
    write_xml(annotations / "ILSVRC2012_val_2.xml", "n01", [(5, 6, 5, 6)], (50, 40))
    (tmp_path / "LOC_synset_mapping.txt").write_text("n01 tench, Tinca tinca\nn02 goldfish\n")
    return tmp_path
