"""What a file is, is found before what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.any_format import read_annotations, read_source
from wsol.data.annotations.kinds.kind_of import kind_of
from wsol.errors import UserError

CORNERS = "<xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax>"
VOC = f"<object><name>a</name><bndbox>{CORNERS}</bndbox></object>"


def name_of(path: Path) -> str:
    kind = kind_of(path)
    return kind.name if kind else ""


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.json", '{"images": [], "annotations": []}', "COCO JSON"),
        ("a.json", '[{"image_id": 1}]', "COCO results"),
        ("a.json", '{"shapes": [], "imagePath": "a.jpg"}', "LabelMe JSON"),
        ("a.json", '{"_via_settings": {}, "_via_img_metadata": {}}', "VGG Image Annotator project"),
        ("a.json", '{"a.jpg123": {"filename": "a.jpg", "regions": []}}', "VGG Image Annotator project"),
        ("a.json", '[{"id": 1, "data": {"image": "a"}, "annotations": []}]', "Label Studio JSON"),
        ("a.json", '[{"image": "a.jpg", "annotations": []}]', "CreateML JSON"),
        ("a.json", '{"type": "FeatureCollection", "features": []}', "GeoJSON"),
        ("a.json", '{"description": "", "size": {}, "objects": []}', "Supervisely JSON"),
        ("a.json", '{"version": 3}', ""),
        ("a.xml", f"<!-- <annotations> --><annotation>{VOC}</annotation>", "VOC XML"),
        ("a.xml", f'<v:annotation xmlns:v="http://v">{VOC}</v:annotation>', "VOC XML"),
        ("a.xml", "<annotations><meta/><image name='a'/></annotations>", "CVAT XML"),
        ("a.xml", "<annotations><track id='0'></track></annotations>", "CVAT XML for video"),
        (
            "a.xml",
            "<annotation><object><polygon><pt><x>1</x></pt></polygon></object></annotation>",
            "XML of MIT's old LabelMe",
        ),
        ("a.xml", "<html></html>", ""),
        ("a.txt", "0 0.5 0.5 0.5 0.5\n", "YOLO txt"),
        ("a.txt", "0 0.5 half 0.5 0.5\n", "YOLO txt"),
        ("a.txt", "", "YOLO txt"),
        ("notes.txt", "", ""),
        ("notes.txt", "3 images were drawn anew\nby hand\n", ""),
        ("classes.txt", "cat\ndog\n", ""),
        ("train.txt", "images/a.jpg\nimages/b.jpg\n", "list of images (Pascal's ImageSets)"),
        ("dog_val.txt", "2007_000027 -1\n2007_000032  1\n", "list of images (Pascal's ImageSets)"),
        ("0.txt", f"Car 0.00 0 -1.58 {'1.5 ' * 11}\n", "KITTI txt"),
        ("0.txt", "1 1 5 1 5 5 1 5 plane 0\n", "DOTA txt"),
        ("data.yaml", "nc: 1\nnames: [cat]\n", "YOLO data.yaml"),
        ("a.zip", "PK\x03\x04", "archive"),
        ("download", "PK\x03\x04", "archive"),
        ("a.parquet", "PAR1", "parquet table"),
        ("a.tfrecord", "", "TFRecord"),
    ],
)
def test_the_kind_of_a_file(tmp_path, name, content, kind):
    (tmp_path / name).write_text(content)
    assert name_of(tmp_path / name) == kind


def test_xml_in_utf_16_is_what_it_is(tmp_path):
    text = f'<?xml version="1.0" encoding="utf-16"?><annotation>{VOC}</annotation>'
    (tmp_path / "a.xml").write_text(text, encoding="utf-16")
    assert read_annotations(tmp_path)["a"].boxes.tolist() == [[0, 0, 5, 5]]


@pytest.mark.parametrize(
    ("name", "content", "mend"),
    [
        ("via.json", '{"_via_settings": {}}', "export the annotations in COCO format"),
        ("export.zip", "PK\x03\x04", "unpack it"),
        (
            "track.xml",
            "<annotations><track/></annotations>".replace("/", " id='0'/", 1),
            "CVAT for images",
        ),
        ("0.txt", f"Car 0.00 0 -1.58 {'1.5 ' * 11}\n", "convert it"),
    ],
)
def test_what_is_not_read_is_named_with_the_mend(tmp_path, name, content, mend):
    (tmp_path / name).write_text(content)
    for path in (tmp_path / name, tmp_path):
        with pytest.raises(UserError) as caught:
            read_annotations(path)
        (line,) = str(caught.value).splitlines()
        assert line.startswith(f"{tmp_path / name}: is a") and mend in line


def test_several_kinds_are_counted(tmp_path):
    for n in range(3):
        (tmp_path / f"l{n}.json").write_text('{"shapes": []}')
    for n in range(2):
        (tmp_path / f"v{n}.xml").write_text(f"<annotation>{VOC}</annotation>")
    with pytest.raises(UserError, match=r"3 LabelMe JSON, 2 VOC XML \(l0.json, v0.xml\): name one"):
        read_annotations(tmp_path)


def test_no_file_is_passed_over_in_silence(tmp_path):
    (tmp_path / "a.xml").write_text(f"<annotation>{VOC}</annotation>")
    (tmp_path / "a.jpg").touch()
    (tmp_path / "README.txt").write_text("Hello there.")
    (tmp_path / "more.txt").write_text("Hello again.")
    (tmp_path / "old.zip").write_bytes(b"PK\x03\x04")
    reading = AnnotationPass()
    assert len(read_source(tmp_path, reading)) == 1
    archive, others = reading.notes
    assert "1 left out: old.zip is an archive, which is not read: unpack it" in archive
    assert others == (f"{tmp_path}: 2 .txt left out as no annotations that are read, e.g. README.txt")


def test_a_parent_folder_is_searched(tmp_path):
    """Names that occur in several splits get their folder in front, others stay."""
    for split, names in {"train": ("1.jpg", "2.jpg"), "valid": ("1.jpg", "3.jpg")}.items():
        (tmp_path / split).mkdir()
        images = [{"id": n, "file_name": name} for n, name in enumerate(names)]
        content = {"images": images, "annotations": [], "categories": []}
        (tmp_path / split / "_annotations.coco.json").write_text(json.dumps(content))
    found = read_annotations(tmp_path)
    assert sorted(found) == ["2.jpg", "3.jpg", "train/1.jpg", "valid/1.jpg"]
    assert found["3.jpg"].folder == tmp_path / "valid"


def test_pictures_beside_annotations_are_no_masks(tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    Image.new("L", (9, 9)).save(tmp_path / "images/b.png")
    (tmp_path / "a.xml").write_text(f"<annotation>{VOC}</annotation>")
    assert list(read_annotations(tmp_path)) == ["a"]
    Image.new("L", (9, 9)).save(tmp_path / "c.png")
    with pytest.raises(UserError, match="1 VOC XML, 1 mask"):
        read_annotations(tmp_path)


def test_a_bomb_of_entities_is_refused_at_once(tmp_path):
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(12))
    text = f"<!DOCTYPE annotation [{lines}]><annotation><a>&e11;</a></annotation>"
    for encoding in ("utf-8", "utf-16"):
        (tmp_path / "a.xml").write_text(text, encoding=encoding)
        with pytest.raises(UserError, match="it declares entities"):
            read_annotations(tmp_path / "a.xml")


def test_a_folder_without_annotations_says_so(tmp_path):
    for told in (
        "holds no annotations; annotations are COCO",
        "1 other files lie there, e.g. notes.txt",
    ):
        with pytest.raises(UserError, match=told):
            read_annotations(tmp_path)
        (tmp_path / "notes.txt").write_text("Nothing yet.")
