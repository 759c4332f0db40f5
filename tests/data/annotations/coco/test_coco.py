from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from wsol.data.annotations.any_format import read_annotations
from wsol.errors import UserError


def said(*arguments: object, **options: object) -> list[str]:
    with pytest.raises(UserError) as caught:
        read_annotations(*arguments, **options)  # pyright: ignore
    return str(caught.value).splitlines()


def coco(path: Path, annotations: list[dict], **images: object) -> Path:
    """One image a.jpg of 20 x 10 with the given annotations, category 3 being ``bird``."""
    entry = {"id": 1, "file_name": "a.jpg", "width": 20, "height": 10, **images}
    items = [{"id": n, "image_id": 1, "category_id": 3, **item} for n, item in enumerate(annotations)]
    content = {"images": [entry], "annotations": items, "categories": [{"id": 3, "name": "bird"}]}
    path.write_text(json.dumps(content))
    return path


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
        ({"bbox": [5, 5, -1, 4]}, "a.json annotations[0]: x1 (4) is not right of x0 (5)"),
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
        {"id": 1, "file_name": ".."},
        {"id": 2, "file_name": "b.jpg"},
        {"id": 2, "file_name": "c.jpg"},
    ]
    path.write_text(json.dumps({"images": images, "annotations": []}))
    lines = said(path)
    assert lines[0] == f"{path} images[0]: image file '..' leaves the root"
    assert lines[1] == f"{path} images[2]: id 2 is already in {path} images[1]"


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
