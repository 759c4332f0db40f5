"""What of a COCO file is read: in any order of its lists, without parts that cover nothing."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from wsol.data.annotations.annotated import AnnotatedImage
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.any_format import read_annotations, read_source
from wsol.data.annotations.coco.json_entries import BLOCK
from wsol.errors import UserError

IMAGES = [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 10}]
SQUARE = [3, 2, 9, 2, 9, 6, 3, 6]


def read(path: Path, **item: object) -> tuple[AnnotatedImage, list[str], list[str]]:
    """The image with one annotation, the notes and the findings."""
    content = {"images": IMAGES, "annotations": [{"image_id": 1, **item}]}
    path.write_text(json.dumps(content))
    reading = AnnotationPass()
    (image,) = read_source(path, reading)
    return image, reading.notes, reading.findings


@pytest.mark.parametrize(
    "stray",
    [[40], [4, 3], [4, 3, 5, 3], [1, 1, 2, 2, 3, 3], [1, 1, 1, 1, 1, 1], [*SQUARE[:4], float("nan"), 1]],
)
def test_parts_that_cover_nothing_are_left_out_and_counted(tmp_path, stray):
    path = tmp_path / "a.json"
    image, notes, findings = read(path, bbox=[1, 2, 3, 4], segmentation=[SQUARE, stray])
    mask = image.mask()
    assert not findings and mask is not None and mask.sum() == 24 and mask[2:6, 3:9].all()
    assert len(notes) == 1 and "1 parts of segmentations are left out" in notes[0]
    image, notes, findings = read(path, bbox=[1, 2, 3, 4], segmentation=[stray, stray])
    assert image.mask() is None and image.boxes.tolist() == [[1, 2, 4, 6]] and not findings
    assert "2 parts of segmentations are left out" in notes[0] and "annotations[0]" in notes[0]
    _, _, findings = read(path, segmentation=[stray])
    assert len(findings) == 1 and "three or more points" in findings[0]


def test_nothing_in_a_list_is_nothing(tmp_path):
    for empty in ([], [[]], [[], []], None):
        image, notes, findings = read(tmp_path / "a.json", bbox=[1, 2, 3, 4], segmentation=empty)
        assert image.mask() is None and len(image.boxes) == 1 and not notes and not findings
    image, notes, _ = read(
        tmp_path / "a.json", bbox=[1, 2, 3, 4], segmentation={"size": [10, 20], "counts": [200]}
    )
    assert image.mask() is None and len(notes) == 1
    image, notes, findings = read(tmp_path / "a.json", bbox=[1, 2, 0, 4])
    assert not image.objects and "1 boxes of no width or height" in notes[0] and not findings


def test_a_figure_of_eight_covers_something(tmp_path):
    image, notes, _ = read(tmp_path / "a.json", segmentation=[[0, 0, 8, 8, 8, 0, 0, 8]])
    mask = image.mask()
    assert mask is not None and mask.any() and not notes


def test_the_lists_may_stand_in_any_order(tmp_path):
    annotations = [{"image_id": 1, "category_id": 2, "segmentation": [SQUARE], "score": 0.25}]
    lists = {"images": IMAGES, "annotations": annotations, "categories": [{"id": 2, "name": "x"}]}
    for order in itertools.permutations([*lists, "info"]):
        path = tmp_path / "a.json"
        path.write_text(json.dumps({name: lists.get(name, {"a": [1]}) for name in order}))
        image = read_annotations(path)["a.jpg"]
        mask = image.mask()
        assert image.categories == ["x"] and mask is not None and mask.sum() == 24
        assert image.objects[0].score == 0.25


def test_files_longer_than_a_block_are_read_whole(tmp_path):
    """Entries that begin in one block and end in the next; blanks and numbers at its border."""
    path = tmp_path / "a.json"
    for shift in range(0, 120, 7):
        filler = " " * (BLOCK - 100 + shift)
        items = ", ".join(f'{{"image_id": 1, "bbox": [1, 2, {n}, 4]}}' for n in (10, 11, 12))
        path.write_text(f'{{"images": {json.dumps(IMAGES)},{filler}"annotations": [{items}]}}')
        assert read_annotations(path)["a.jpg"].boxes[:, 2].tolist() == [11, 12, 13]


@pytest.mark.parametrize(
    "text",
    [
        '{"images": [}',
        '{"images": [1 2]}',
        '{"images": []} 5',
        '{"images": [], }',
        "[1,",
        '{"a" 1}',
        "",
        "{a: 1}",
    ],
)
def test_broken_json_is_named_by_line_and_column(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(json.JSONDecodeError) as reference:
        json.loads(text)
    with pytest.raises(UserError) as caught:
        read_annotations(path)
    assert str(caught.value) == f"{path}: not JSON ({reference.value})"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"images": IMAGES}, 'COCO JSON without "annotations"'),
        ({"images": IMAGES, "annotations": None}, 'COCO JSON without "annotations"'),
        ({"annotations": []}, 'there is no list "images"'),
        ({"images": IMAGES, "annotations": 5}, '"annotations" is no list'),
    ],
)
def test_a_file_without_a_list_is_told_what_it_is(tmp_path, content, message):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError) as caught:
        read_annotations(path)
    assert message in str(caught.value) and len(str(caught.value).splitlines()) == 1
    path.write_text(json.dumps({"images": IMAGES, "annotations": []}))
    assert len(read_annotations(path)["a.jpg"].objects) == 0
