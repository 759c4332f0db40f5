from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.annotations.any_format import read_annotations
from wsol.errors import UserError


def coco(path: Path, annotations: list[dict], **images: object) -> Path:
    """One image a.jpg of 20 x 10 with the given annotations, category 3 being ``bird``."""
    entry = {"id": 1, "file_name": "a.jpg", "width": 20, "height": 10, **images}
    items = [{"id": n, "image_id": 1, "category_id": 3, **item} for n, item in enumerate(annotations)]
    content = {"images": [entry], "annotations": items, "categories": [{"id": 3, "name": "bird"}]}
    path.write_text(json.dumps(content))
    return path


def voc(path: Path, box: tuple[object, ...], name: str = "dog") -> Path:
    corners = "".join(
        f"<{tag}>{value}</{tag}>"
        for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    size = "<size><width>20</width><height>10</height></size>"
    path.write_text(
        f"<annotation>{size}<object><name>{name}</name><bndbox>{corners}</bndbox></object></annotation>"
    )
    return path


def said(*arguments: object, **options: object) -> list[str]:
    with pytest.raises(UserError) as caught:
        read_annotations(*arguments, **options)  # pyright: ignore
    return str(caught.value).splitlines()


def test_voc_is_one_based_inclusive_unless_told(tmp_path):
    path = voc(tmp_path / "x.xml", (3, 2, 10, 8))
    assert read_annotations(path)["x"].boxes.tolist() == [[2, 1, 10, 8]]
    assert read_annotations(path, corners="inclusive")["x"].boxes.tolist() == [[3, 2, 11, 9]]
    assert read_annotations(path, corners="half-open")["x"].boxes.tolist() == [[3, 2, 10, 8]]
    box = read_annotations(path)["x"].objects[0].box
    assert box is not None and box.source == (3, 2, 10, 8)


def test_voc_folder_reports_all_files_at_once(tmp_path):
    voc(tmp_path / "good.xml", (1, 1, 5, 5))
    voc(tmp_path / "flipped.xml", (9, 1, 5, 5))
    voc(tmp_path / "words.xml", ("a", 1, 5, 5))
    (tmp_path / "none.xml").write_text("<annotation></annotation>")
    (tmp_path / "broken.xml").write_text("<annotation><object>")
    (tmp_path / "empty.xml").touch()
    lines = said(tmp_path)
    assert len(lines) == 4
    for line, (name, what) in zip(
        lines,
        [
            ("broken.xml", "not an XML annotation"),
            ("empty.xml", "not an XML annotation"),
            ("flipped.xml object 1", "x1 (5) is not right of x0 (8)"),
            ("words.xml object 1", "'a' '1' '5' '5' are not four numbers"),
        ],
        strict=True,
    ):
        assert f"{tmp_path}/{name}" in line and what in line


def test_mask_folders_with_ignore_regions(tmp_path):
    mask = np.zeros((10, 20), np.uint8)
    mask[2:4, 5:8] = 1
    (tmp_path / "sub").mkdir()
    Image.fromarray(mask).save(tmp_path / "sub/a.png")
    Image.fromarray(255 - mask * 255).save(tmp_path / "sub/a_ignore.png")
    image = read_annotations(tmp_path)["sub/a"]
    np.testing.assert_array_equal(image.mask(), mask == 1)
    np.testing.assert_array_equal(image.ignore_mask(), mask == 0)


def test_annotations_by_the_images_that_are_there(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    Image.new("RGB", (20, 10)).save(images / "a.jpg")
    table = tmp_path / "boxes.csv"
    table.write_text("image,x0,y0,x1,y1\na,0,0,5,5\ngone,0,0,5,5\n")
    assert list(read_annotations(table, images)) == ["a.jpg"]
    table.write_text("image,x0,y0,x1,y1\ngone,0,0,5,5\n")
    assert "none of its 1 images is in" in said(table, images)[0]


@pytest.mark.parametrize("name", ["none.json", "none.csv", "none.xml", "none", "a.docx"])
def test_what_is_no_annotation_says_so(tmp_path, name):
    if name == "a.docx":
        (tmp_path / name).touch()
    assert str(tmp_path / name) in said(tmp_path / name)[0]


def mask(path: Path, columns: int = 5) -> Path:
    """A mask of 20 x 10 whose first ``columns`` are set."""
    pixels = np.zeros((10, 20), np.uint8)
    pixels[:, :columns] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def test_images_of_the_set_are_no_masks(tmp_path):
    """Roboflow's layout: PNG images beside the table that annotates them."""
    for name in ("a.png", "b.png"):
        mask(tmp_path / name)
    coco(tmp_path / "_annotations.coco.json", [{"bbox": [1, 2, 3, 4]}], file_name="a.png")
    found = read_annotations(tmp_path, tmp_path)
    assert found["a.png"].boxes.tolist() == [[1, 2, 4, 6]] and found["a.png"].mask() is None
    (tmp_path / "_annotations.coco.json").unlink()
    assert said(tmp_path, tmp_path) == [
        f"{tmp_path}: its pictures are the images themselves; name the folder of the masks"
    ]
    mask(tmp_path / "masks/b.png", 7)
    found = read_annotations(tmp_path, tmp_path)
    assert list(found) == ["b.png"]
    union = found["b.png"].mask()
    assert union is not None and union.sum() == 70


def test_a_folder_with_annotations_of_several_kinds_asks_for_one(tmp_path):
    mask(tmp_path / "a.png")
    table = tmp_path / "boxes.csv"
    table.write_text("image,x0,y0,x1,y1\na,0,0,5,5\n")
    assert "several kinds: 1 CSV table, 1 mask (boxes.csv, a.png): name" in said(tmp_path)[0]
    table.unlink()
    voc(tmp_path / "sub.XML", (1, 1, 5, 5))
    assert "several kinds: 1 VOC XML, 1 mask (sub.XML, a.png): name" in said(tmp_path)[0]
    (tmp_path / "a.png").unlink()
    assert list(read_annotations(tmp_path)) == ["sub"]


def test_mask_files_are_found_in_any_letter_case_and_once_a_name(tmp_path):
    mask(tmp_path / "im1.png")
    mask(tmp_path / "im2.PNG")
    assert list(read_annotations(tmp_path)) == ["im1", "im2"]
    mask(tmp_path / "im2.png")
    assert said(tmp_path) == [f"{tmp_path / 'im2.png'}: there is a mask of that name already, im2.PNG"]


def test_a_convention_for_corners_needs_corners(tmp_path):
    sides = tmp_path / "sides.csv"
    sides.write_text("image,x,y,width,height\na.jpg,0,0,5,5\n")
    for path in (coco(tmp_path / "a.json", [{"bbox": [1, 2, 3, 4]}]), sides):
        assert "--corners voc has nothing to apply to" in said(path, corners="voc")[0]
        read_annotations(path)
    assert "unknown convention for corners 'pascal'" in said(sides, corners="pascal")[0]
