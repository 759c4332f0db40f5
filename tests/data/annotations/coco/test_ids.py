"""Ids are numbers: however a tool writes 3, it is 3."""

from __future__ import annotations

import json

import pytest

from wsol.data.annotations.any_format import read_annotations
from wsol.data.annotations.coco.ids import id_of
from wsol.errors import UserError


@pytest.mark.parametrize("image", [3, 3.0, "3", "3.0"])
@pytest.mark.parametrize("category", [5, 5.0, "5", "5.0"])
def test_whole_numbers_are_one_id_in_every_table(tmp_path, image, category):
    path = tmp_path / "a.json"
    for own, named in ((image, 5), (3, category)):
        content = {
            "images": [{"id": own, "file_name": "a.jpg"}],
            "annotations": [
                {"id": 1.0, "image_id": image, "category_id": category, "bbox": [1, 2, 3, 4]}
            ],
            "categories": [{"id": named, "name": "bird"}],
        }
        path.write_text(json.dumps(content))
        found = read_annotations(path)["a.jpg"]
        assert found.categories == ["bird"] and found.boxes.tolist() == [[1, 2, 4, 6]]
        assert found.source_id == "3"
    path.write_text(json.dumps([{"image_id": image, "category_id": category, "bbox": [1, 2, 3, 4]}]))
    assert list(read_annotations(path)) == ["3"]


def test_texts_stay_and_large_numbers_are_exact():
    assert id_of("007") == "007" and id_of("a.0") == "a.0" and id_of(1e3) == "1000"
    assert id_of(2**60 + 1) == str(2**60 + 1) and id_of(0) == "0" and id_of(-1.0) == "-1"


@pytest.mark.parametrize("value", [True, 3.5, float("nan"), 1e20, [3], {}])
def test_what_is_no_id_is_a_finding(tmp_path, value):
    assert id_of(value) == ""
    path = tmp_path / "a.json"
    item = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}
    for what in item:
        if what != "bbox":
            content = {
                "images": [{"id": 1, "file_name": "a.jpg"}],
                "annotations": [item | {what: value}],
            }
            path.write_text(json.dumps(content))
            with pytest.raises(UserError, match=rf"annotations\[0\]: {what} "):
                read_annotations(path)
