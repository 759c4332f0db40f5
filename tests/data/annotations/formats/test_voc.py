"""What tools really write as VOC XML."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.any_format import read_annotations, read_source
from wsol.errors import UserError

BOX = "<bndbox><ymax>6</ymax><xmax>9</xmax><ymin>3</ymin><xmin>4</xmin></bndbox>"  # any order


def voc(path: Path, inner: str, encoding: str = "utf-8", head: str = "") -> Path:
    path.write_bytes(f"{head}<annotation verified='yes'>{inner}</annotation>".encode(encoding))
    return path


@pytest.mark.parametrize("side", ["0", "0.0", "-0", ""])
def test_a_size_of_zero_is_not_known(tmp_path, side):
    size = f"<size><width>{side}</width><height>{side}</height></size>"
    path = voc(tmp_path / "a.xml", f"{size}<object><name>dog</name>{BOX}</object>")
    found = read_annotations(path)["a"]
    assert found.size is None and found.boxes.tolist() == [[3, 2, 9, 6]]


def test_a_file_without_object_is_an_image_without_object(tmp_path):
    voc(tmp_path / "a.xml", "<size><width>20</width><height>10</height></size>")
    found = read_annotations(tmp_path)
    assert found["a"].objects == () and found["a"].size == (10, 20)


@pytest.mark.parametrize(
    ("encoding", "head"),
    [
        ("utf-8", "\ufeff"),
        ("utf-16", '<?xml version="1.0" encoding="utf-16"?>'),
        ("latin-1", '<?xml version="1.0" encoding="iso-8859-1"?><!-- caf\xe9 -->'),
        ("utf-8", "<!DOCTYPE annotation>"),
    ],
)
def test_encodings(tmp_path, encoding, head):
    voc(tmp_path / "a.xml", f"<object><name>h\xe4schen</name>{BOX}</object>", encoding, head)
    assert read_annotations(tmp_path)["a"].categories == ["h\xe4schen"]


def test_a_namespace_and_parts_do_not_matter(tmp_path):
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    text = f"<annotation xmlns='http://voc'><object>{part}{BOX}</object></annotation>"
    (tmp_path / "a.xml").write_text(text)
    found = read_annotations(tmp_path)["a"]
    assert found.boxes.tolist() == [[3, 2, 9, 6]] and found.categories == []


def test_difficult_objects_are_scored_and_told(tmp_path):
    voc(tmp_path / "a.xml", f"<object><difficult>1</difficult>{BOX}</object><object>{BOX}</object>")
    reading = AnnotationPass()
    (found,) = read_source(tmp_path, reading)
    assert len(found.boxes) == 2
    assert reading.notes[0].startswith(f"{tmp_path}: 1 objects marked <difficult> are scored")


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        (
            BOX.replace(">4<", ">14<"),
            "x1 (9) is not right of x0 (13); xmin is the larger one: they may be swapped",
        ),
        (BOX.replace(">9<", ">1e999<"), "'4' '3' '1e999' '6' are not four numbers"),
        (BOX + BOX, "2 <bndbox> where an object has one"),
        (
            "<robndbox><cx>5</cx></robndbox>",
            "0 <bndbox> where an object has one (its <robndbox> is turned",
        ),
    ],
)
def test_findings_say_the_mend_and_never_to_delete(tmp_path, inner, message):
    path = voc(tmp_path / "a.xml", f"<object><name>dog</name>{inner}</object>")
    with pytest.raises(UserError) as caught:
        read_annotations(path)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{path} object 1: {message}") and "delete" not in line
