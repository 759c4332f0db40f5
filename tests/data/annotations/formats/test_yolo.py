from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.any_format import read_annotations, read_source
from wsol.errors import UserError


def labels(folder: Path, text: str, name: str = "a") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.txt"
    path.write_text(text)
    return path


def image(path: Path, size: tuple[int, int] = (20, 10)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


def said(path: Path) -> list[str]:
    with pytest.raises(UserError) as caught:
        read_annotations(path)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("label", "picture"),
    [
        ("labels/a", "images/a"),
        ("labels/train/a", "images/train/a"),
        ("train/labels/a", "train/images/a"),
        ("a", "a"),
        ("obj_train_data/a", "obj_train_data/a"),
    ],
)
def test_layouts(tmp_path, label, picture):
    image(tmp_path / f"{picture}.jpg")
    path = labels((tmp_path / label).parent, "0 0.5 0.5 0.5 0.4\n")
    (tmp_path / "data.yaml").write_text("names: [bird]\nnc: 1\n")
    for given in (tmp_path, path.parent, path, tmp_path / "data.yaml"):
        (found,) = read_annotations(given, tmp_path).values()
        np.testing.assert_allclose(found.boxes, [[5, 3, 15, 7]], atol=1e-5)
        assert found.categories == ["bird"] and found.own_classes
        assert found.folder == (tmp_path / picture).parent


def test_splits_with_the_same_names_lie_in_folders(tmp_path):
    for split, wide in (("train", 0.5), ("valid", 1.0)):
        image(tmp_path / split / "images/1.jpg")
        labels(tmp_path / split / "labels", f"0 0.5 0.5 {wide} 1\n", "1")
    found = read_annotations(tmp_path, tmp_path)
    assert found["train/images/1.jpg"].boxes.tolist() == [[5, 0, 15, 10]]
    assert found["valid/images/1.jpg"].boxes.tolist() == [[0, 0, 20, 10]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("data.yaml", "names: [cat, bird]"),
        ("data.yaml", "names: {0: cat, 1: bird}\nnc: 2"),
        ("coco8.yaml", "path: ../x\nnames:\n  0: cat\n  1: bird\n"),
        ("classes.txt", "cat\nbird\n"),
        ("obj.names", "cat\r\nbird\r\n\r\n"),
        ("_darknet.labels", "\ufeffcat\nbird"),
    ],
)
def test_names_of_classes_lie_in_the_folder_or_above(tmp_path, name, text):
    folder = tmp_path / "x/y/labels"
    labels(folder, "1 0.5 0.5 0.5 0.5\n")
    for place in (folder, folder.parent, folder.parent.parent):
        (place / name).write_bytes(text.encode())
        assert read_annotations(folder)["a"].categories == ["bird"]
        (place / name).unlink()
    assert read_annotations(folder)["a"].categories == ["1"]
    reading = AnnotationPass()
    read_source(folder, reading)
    assert "classes are called by ids" in reading.notes[0]


def test_outlines_turned_boxes_and_scores(tmp_path):
    """A square of 3..9 x 2..6 as an outline: as a mask, and as the box around it."""
    image(tmp_path / "images/a.jpg")
    square = "0.15 0.2 0.45 0.2 0.45 0.6 0.15 0.6"
    path = labels(tmp_path / "labels", f"0 {square}\n0 {square} 0.25\n")
    (found,) = read_annotations(path, tmp_path / "images").values()
    expected = np.zeros((10, 20), bool)
    expected[2:6, 3:9] = True
    np.testing.assert_array_equal(found.mask(), expected)
    np.testing.assert_allclose(found.boxes, [[3, 2, 9, 6]] * 2, atol=1e-5)
    assert [item.score for item in found.objects] == [None, 0.25]
    path.write_text("0 0.5 0.5 0.5 0.4 0.75\n")
    assert read_annotations(path)["a"].objects[0].score == 0.75


def test_boxes_among_outlines_make_all_of_them_boxes(tmp_path):
    path = labels(tmp_path, "0 0.5 0.5 0.5 0.4\n0 0.1 0.1 0.5 0.1 0.5 0.5\n")
    reading = AnnotationPass()
    (found,) = read_source(path, reading)
    assert len(found.boxes) == 2 and found.mask() is None
    assert any("1 images have outlines of some objects" in note for note in reading.notes)


def test_keypoints_are_left_out_where_the_yaml_tells_them(tmp_path):
    (tmp_path / "data.yaml").write_text("names: [man]\nkpt_shape: [2, 3]\n")
    path = labels(tmp_path, "0 0.5 0.5 0.5 0.4 0.1 0.1 2 0.2 0.2 2\n")
    (box,) = read_annotations(path)["a"].boxes
    np.testing.assert_allclose(box, [0.25, 0.3, 0.75, 0.7], atol=1e-6)


def test_an_empty_file_is_an_image_without_object(tmp_path):
    labels(tmp_path, "\n")
    found = read_annotations(tmp_path)
    assert found["a"].objects == () and len(found) == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("0 0.5 nan 0.5 0.5", "'nan' is not a number"),
        ("0 0.5 1e999 0.5 0.5", "'1e999' is not a number"),
        ("0 0.5 0.5 0.5", "4 numbers are neither class cx cy w h nor class and three points"),
        ("0 40 30 40 30", "40 is no share of the image, 0 to 1; are these pixels?"),
        ("0 0.5 0.5 -0.5 0.5", "-0.5 is no share of the image"),
        ("0 0.5 0.5 0 0.5", "x1 (0.5) is not right of x0 (0.5)"),
        ("7 0.5 0.5 0.5 0.5", "class id 7 is not among the 1 classes of classes.txt"),
        ("-1 0.5 0.5 0.5 0.5", "class id -1 is not a whole number from 0"),
        ("0 0.5 0.5 0.5 0.5 9", "score 9 is not in 0..1"),
    ],
)
def test_findings_name_the_line(tmp_path, row, message):
    (tmp_path / "classes.txt").write_text("bird\n")
    path = labels(tmp_path, f"0 0.5 0.5 0.5 0.5\n{row}\n0 0.5 0.5 1.0005 0.5\n")
    (line,) = said(tmp_path)
    assert line.startswith(f"{path} line 2: {message}")
