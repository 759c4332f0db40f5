from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.any_format import read_annotations, read_source
from wsol.errors import UserError


def shape(kind: str, *points: tuple[float, float], label: str = "bird", **more: object) -> dict:
    return {"label": label, "points": [list(point) for point in points], "shape_type": kind, **more}


def labelme(path: Path, *shapes: dict, image: str | None = None, **more: object) -> Path:
    content = {"shapes": list(shapes), "imagePath": image or f"{path.stem}.jpg", "imageData": None}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content | {"imageHeight": 10, "imageWidth": 20} | more))
    return path


SQUARE = ((3, 2), (9, 2), (9, 6), (3, 6))


def square(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    pixels = np.zeros((10, 20), bool)
    pixels[top:bottom, left:right] = True
    return pixels


def test_rectangles_by_any_two_opposite_corners(tmp_path):
    corners = [((3, 2), (9, 6)), ((9, 6), (3, 2)), ((3, 6), (9, 2)), SQUARE]
    path = labelme(tmp_path / "a.json", *(shape("rectangle", *points) for points in corners))
    found = read_annotations(path)["a.jpg"]
    assert found.boxes.tolist() == [[3, 2, 9, 6]] * 4
    assert found.size == (10, 20) and found.categories == ["bird"] and found.mask() is None


def test_polygons_of_a_group_are_one_object(tmp_path):
    other = ((12, 2), (15, 2), (15, 6), (12, 6))
    shapes = [shape("polygon", *SQUARE, group_id=4), shape("polygon", *other, group_id=4)]
    found = read_annotations(labelme(tmp_path / "a.json", *shapes))["a.jpg"]
    assert found.boxes.tolist() == [[3, 2, 15, 6]]
    np.testing.assert_array_equal(found.mask(), square(3, 2, 9, 6) | square(12, 2, 15, 6))
    shapes[1]["label"] = "cat"
    assert len(read_annotations(labelme(tmp_path / "a.json", *shapes))["a.jpg"].boxes) == 2


def test_circles_and_masks(tmp_path):
    path = labelme(tmp_path / "a.json", shape("circle", (10, 5), (10, 9)))
    found = read_annotations(path)["a.jpg"]
    np.testing.assert_allclose(found.boxes, [[6, 1, 14, 9]], atol=1e-5)
    mask = found.mask()
    assert mask is not None and abs(mask.sum() - np.pi * 16) < 3
    picture = io.BytesIO()
    Image.fromarray(np.array([[255, 0, 255], [255, 255, 0]], np.uint8)).save(picture, "PNG")
    text = base64.b64encode(picture.getvalue()).decode()
    path = labelme(tmp_path / "a.json", shape("mask", (4, 3), (6, 4), mask=text))
    found = read_annotations(path)["a.jpg"]
    assert found.boxes.tolist() == [[4, 3, 7, 5]]
    assert np.argwhere(found.mask()).tolist() == [[3, 4], [3, 6], [4, 4], [4, 5]]


def test_what_has_no_area_is_counted(tmp_path):
    shapes = [shape("point", (1, 1)), shape("line", (1, 1), (2, 2)), shape("linestrip", (1, 1), (2, 2))]
    shapes += [shape("polygon", (1, 1), (2, 2)), shape("rectangle", (3, 2), (9, 6))]
    labelme(tmp_path / "a.json", *shapes, flags={"blurred": True, "night": False})
    reading = AnnotationPass()
    (found,) = read_source(tmp_path, reading)
    assert len(found.objects) == 1
    assert reading.notes == [
        f"{tmp_path}: 1 images have flags, which are left out",
        f"{tmp_path}: 3 points, lines and cuboids are left out",
        f"{tmp_path}: 1 polygons of one or two points are left out",
    ]


@pytest.mark.parametrize(
    ("json_name", "said", "picture"),
    [
        ("labels/a.json", "..\\images\\a.jpg", "images/a.jpg"),
        ("labels/a.json", "C:\\Users\\me\\a.jpg", "images/a.jpg"),
        ("labels/a.json", "/home/me/photos/a.jpg", "images/a.jpg"),
        ("labels/deep/a.json", "../../images/deep/a.jpg", "images/deep/a.jpg"),
        ("a.json", "a.jpg", "a.jpg"),
        ("a.json", "IMG_0001.jpg", "a.jpg"),  # renamed since
        ("a_label.json", "a.jpg", "a.jpg"),
        ("a.json", "../../../../../etc/a.jpg", "a.jpg"),
    ],
)
def test_the_image_is_found(tmp_path, json_name, said, picture):
    (tmp_path / picture).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 10)).save(tmp_path / picture)
    path = labelme(tmp_path / json_name, shape("rectangle", (3, 2), (9, 6)), image=said)
    for given in (path, path.parent, tmp_path):
        assert list(read_annotations(given, tmp_path)) == [picture]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (shape("rectangle", (3, 2)), "a rectangle of 1 points, it has two"),
        (shape("rectangle", (3, 2), (3, 6)), "x1 (3) is not right of x0 (3)"),
        ({"label": "a", "points": [[1, "x"]]}, "its points are not pairs of numbers x, y"),
        (shape("polygon", (0, 0), (500, 0), (0, 9)), "a polygon lies outside the image (20 x 10)"),
        (shape("star", (0, 0), (5, 0)), "shape_type 'star' is not known"),
        (shape("mask", (0, 0), (1, 1), mask="?"), "a mask needs its picture in base64"),
    ],
)
def test_findings_name_the_shape(tmp_path, entry, message):
    path = labelme(tmp_path / "a.json", entry)
    with pytest.raises(UserError) as caught:
        read_annotations(tmp_path)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{path} shapes[0]: {message}")
