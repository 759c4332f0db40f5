from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.any_format import read_annotations, read_source
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


def test_coco_boxes_are_x_y_width_height(tmp_path):
    found = read_annotations(
        coco(tmp_path / "a.json", [{"bbox": [1, 2, 3, 4]}, {"bbox": [0.5, 0, 9, 9.5]}])
    )
    image = found["a.jpg"]
    np.testing.assert_array_equal(image.boxes, [[1, 2, 4, 6], [0.5, 0, 9.5, 9.5]])
    assert image.size == (10, 20) and image.categories == ["bird"] and image.source_id == "1"
    assert image.own_classes
    assert image.mask() is None


def test_coco_masks_are_those_of_pycocotools(tmp_path):
    """Run lengths, compressed or not, against pycocotools' own; polygons against a hand-drawn square."""
    coco_mask = pytest.importorskip("pycocotools.mask")
    inside = np.random.default_rng(0).random((10, 20)) < 0.4
    compressed = coco_mask.encode(np.asfortranarray(inside.astype(np.uint8)))
    compressed["counts"] = compressed["counts"].decode()
    flat = inside.T.ravel()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [not flat[-1]]]))).tolist()
    counts = np.diff([0, *edges]).tolist()
    plain = {"size": [10, 20], "counts": counts}
    for name, mask in (("compressed", compressed), ("plain", plain)):
        path = coco(tmp_path / f"{name}.json", [{"segmentation": mask}])
        np.testing.assert_array_equal(read_annotations(path)["a.jpg"].mask(), inside, err_msg=name)
    square = np.zeros((10, 20), bool)
    square[2:6, 3:9] = True
    path = coco(tmp_path / "polygon.json", [{"segmentation": [[3, 2, 9, 2, 9, 6, 3, 6]]}])
    np.testing.assert_array_equal(read_annotations(path)["a.jpg"].mask(), square)


def test_large_run_lengths_survive_compression(tmp_path):
    """Counts of more than 15 bits take several characters, falling ones negative differences."""
    coco_mask = pytest.importorskip("pycocotools.mask")
    inside = np.zeros((700, 900), bool)
    inside[:, 100:800], inside[3, 850], inside[650:, 870] = True, True, True
    mask = coco_mask.encode(np.asfortranarray(inside.astype(np.uint8)))
    mask["counts"] = mask["counts"].decode()
    path = coco(tmp_path / "a.json", [{"segmentation": mask}], width=900, height=700)
    np.testing.assert_array_equal(read_annotations(path)["a.jpg"].mask(), inside)


def test_crowds_are_not_scored(tmp_path):
    left, right = [[0, 0, 5, 0, 5, 5, 0, 5]], [[10, 0, 15, 0, 15, 5, 10, 5]]
    path = coco(
        tmp_path / "a.json",
        [{"segmentation": left, "bbox": [0, 0, 5, 5]}, {"segmentation": right, "iscrowd": 1}],
    )
    image = read_annotations(path)["a.jpg"]
    assert image.boxes.tolist() == [[0, 0, 5, 5]]
    mask, ignore = image.mask(), image.ignore_mask()
    assert mask is not None and ignore is not None
    assert mask[:5, :5].all() and mask.sum() == 25 and ignore[:5, 10:15].all() and ignore.sum() == 25


def test_results_of_a_detector_are_read_too(tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps([{"image_id": 7, "category_id": 1, "bbox": [0, 1, 2, 3], "score": 0.5}]))
    assert read_annotations(path)["7"].boxes.tolist() == [[0, 1, 2, 4]]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"bbox": [5, 5, 0, 4]}, "a.json annotations[0]: x1 (5) is not right of x0 (5)"),
        ({"bbox": [5, 5, 3, -4]}, "a.json annotations[0]: y1 (1) is not below y0 (5)"),
        ({"bbox": [1, 2, 3]}, "a.json annotations[0]: bbox [1, 2, 3] is not x, y, width, height"),
        ({"bbox": [1, 2, 3, None]}, "a.json annotations[0]: bbox [1, 2, 3, None] is not"),
        ({}, "a.json annotations[0]: neither bbox nor segmentation"),
        ({"segmentation": [[1, 1, 2]]}, "three or more points"),
        ({"segmentation": [[0, 0, 1e9, 0, 5, 5]]}, "a polygon lies outside the image (20 x 10)"),
        ({"segmentation": {"size": [10, 20], "counts": [5, 3]}}, "do not fill a mask of 20 x 10 pixels"),
        (
            {"segmentation": {"size": [10, 20], "counts": "\u00ff"}},
            "do not fill a mask of 20 x 10 pixels",
        ),
        (
            {"segmentation": {"size": [9, 20], "counts": [180]}},
            "mask of 20 x 9 pixels, the image has 20 x 10",
        ),
        ({"bbox": [0, 0, 1, 1], "category_id": 8}, "category_id 8 is not among the categories"),
        ({"bbox": [0, 0, 1, 1], "image_id": 9}, "image_id 9 is not among the images"),
    ],
)
def test_coco_findings_name_the_entry(tmp_path, item, message):
    lines = said(coco(tmp_path / "a.json", [item]))
    assert len(lines) == 1 and message in lines[0]


def test_coco_images_must_stay_in_the_folder_and_have_one_id(tmp_path):
    path = tmp_path / "a.json"
    images = [
        {"id": 1, "file_name": "../x.jpg"},
        {"id": 2, "file_name": "b.jpg"},
        {"id": 2, "file_name": "c.jpg"},
    ]
    path.write_text(json.dumps({"images": images}))
    lines = said(path)
    assert lines[0] == f"{path} images[0]: image file '../x.jpg' leaves the root"
    assert lines[1] == f"{path} images[2]: id 2 is already in {path} images[1]"


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


@pytest.mark.parametrize(
    "text",
    [
        "image,x0,y0,x1,y1,label\na.jpg,1,2,4,6,bird\n",
        "\ufeffimage,label,x0,y0,x1,y1\r\na.jpg,bird,1,2,4,6\r\n",
        " FileName , Class , xmin , ymin , xmax , ymax \n a.jpg , bird , 1 , 2 , 4 , 6 \n",
        "class,path,x,y,width,height\nbird,a.jpg,1,2,3,4\n",
        "\ufeffimage;label;x0;y0;x1;y1\r\na.jpg;bird;1;2;4;6\r\n",
        'label,file,x,y,w,h\n"bird","a.jpg",1.0,2,3,4\n\n',
        "image,label,x1,y1,x2,y2\n./a.jpg,bird,1,2,4,6",
    ],
)
def test_csv_spellings(tmp_path, text):
    path = tmp_path / "boxes.csv"
    path.write_bytes(text.encode())
    image = read_annotations(path)["a.jpg"]
    assert image.boxes.tolist() == [[1, 2, 4, 6]] and image.label == "bird"


def test_csv_size_beside_corners_and_several_rows_an_image(tmp_path):
    path = tmp_path / "boxes.csv"
    path.write_text(
        "filename,width,height,class,xmin,ymin,xmax,ymax\n"
        "día 1/птица.jpg,20,10,bird,0,0,5,5\ndía 1/птица.jpg,20,10,tree,1,1,9,9\nnone.jpg,20,10,,,,,\n"
    )
    found = read_annotations(path)
    several = found["día 1/птица.jpg"]
    assert several.size == (10, 20) and len(several.boxes) == 2
    assert several.categories == ["tree", "bird"] and several.label == ""  # the larger first
    assert found["none.jpg"].boxes.shape == (0, 4)


def test_csv_findings_name_the_line(tmp_path):
    path = tmp_path / "boxes.csv"
    path.write_text(
        "image,x0,y0,x1,y1\na.jpg,4,0,4,5\nb.jpg,1,2,3\n/etc/c.jpg,0,0,1,1\nd.jpg,one,0,1,1\ne.jpg,nan,0,1,1\n"
    )
    lines = said(path)
    assert [line.split(": ")[0] for line in lines] == [f"{path} line {n}" for n in range(2, 7)]
    for line, what in zip(
        lines,
        [
            "x1 (4) is not right of x0 (4)",
            "4 cells",
            "must be relative",
            "not four numbers",
            "not four numbers",
        ],
        strict=True,
    ):
        assert what in line
    path.write_text("a.jpg,0,0,1,1\n")
    assert "line 1: no column names the image" in said(path)[0]


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
        f"{tmp_path}: its .png are the images themselves; name the folder of the masks"
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
    assert "several kinds: 1 CSV table, 1 mask PNG (boxes.csv, a.png): name" in said(tmp_path)[0]
    table.unlink()
    voc(tmp_path / "sub.XML", (1, 1, 5, 5))
    assert "several kinds: 1 VOC XML, 1 mask PNG (sub.XML, a.png): name" in said(tmp_path)[0]
    (tmp_path / "a.png").unlink()
    assert list(read_annotations(tmp_path)) == ["sub"]


def test_mask_files_are_found_in_any_letter_case_and_once_a_name(tmp_path):
    mask(tmp_path / "im1.png")
    mask(tmp_path / "im2.PNG")
    assert list(read_annotations(tmp_path)) == ["im1", "im2"]
    mask(tmp_path / "im2.png")
    assert said(tmp_path) == [f"{tmp_path / 'im2.png'}: there is a mask of that name already, im2.PNG"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("image,xmin,ymin,xmax,y_max", "columns xmin, ymin, xmax are not a whole box"),
        ("image,label,x,y,width", "columns x, y are not a whole box"),
        (
            "image,left,top,right,bottom",
            "neither box, mask, label nor split among the columns image, left",
        ),
        ("image,width,height", "neither box, mask, label nor split"),
    ],
)
def test_columns_that_tell_nothing_are_an_error(tmp_path, header, message):
    path = tmp_path / "boxes.csv"
    path.write_text(f"{header}\n" + ",".join(["a.jpg", *"1234"[: header.count(",")]]))
    lines = said(path)
    assert len(lines) == 1 and lines[0].startswith(f"{path} line 1: ") and message in lines[0]


def test_columns_that_are_not_known_are_noted(tmp_path):
    path = tmp_path / "boxes.csv"
    path.write_text("image,label,left,width,height,score\na.jpg,cat,1,20,10,0.5\n")
    reading = AnnotationPass()
    (image,) = read_source(path, reading)
    assert image.label == "cat" and image.size == (10, 20) and image.own_classes
    assert reading.notes == [f"{path}: columns left out: left, score"]


def test_a_convention_for_corners_needs_corners(tmp_path):
    sides = tmp_path / "sides.csv"
    sides.write_text("image,x,y,width,height\na.jpg,0,0,5,5\n")
    for path in (coco(tmp_path / "a.json", [{"bbox": [1, 2, 3, 4]}]), sides):
        assert "--corners voc has nothing to apply to" in said(path, corners="voc")[0]
        read_annotations(path)
    assert "unknown convention for corners 'pascal'" in said(sides, corners="pascal")[0]


def test_a_category_s_id_names_one_category(tmp_path):
    path = coco(tmp_path / "a.json", [{"bbox": [1, 2, 3, 4]}])
    content = json.loads(path.read_text())
    content["categories"] *= 2  # the same twice is no contradiction
    path.write_text(json.dumps(content))
    assert read_annotations(path)["a.jpg"].categories == ["bird"]
    content["categories"] += [{"id": 3, "name": "cat"}, {"name": "dog"}]
    path.write_text(json.dumps(content))
    assert said(path) == [
        f"{path} categories[2]: id 3 is 'cat' here and 'bird' before",
        f"{path} categories[3]: no id",
    ]
