"""Whatever stands in an annotation file, a reader either reads it or says in a UserError what is wrong.

WSOL_FUZZ says how many inputs to try in all, drawn anew each time (default 300, always the same).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from wsol.data.annotations.any_format import read_annotations
from wsol.data.layouts.custom import custom_manifest
from wsol.errors import UserError

FORMATS = 4  # tests below
fuzzed = settings(
    max_examples=max(1, int(os.environ.get("WSOL_FUZZ", "300")) // FORMATS),
    deadline=None,
    derandomize="WSOL_FUZZ" not in os.environ,  # the suite tries the same inputs every time
    suppress_health_check=list(HealthCheck),
)

awkward = st.sampled_from(
    [
        *("", " ", "a.jpg", "b", "../a.jpg", "/a.jpg", "a\0.jpg", "C:\\a.jpg", "x" * 300),
        *("nan", "1e999", "-0", "5", "0", "20", "10", "1,2", '"', "null"),
        *("\ufeff", "\uff11", "\u00b2", "\ud800", "\u2028", "d\u00eda/\u043f\u0442.jpg"),
    ]
)
texts = awkward | st.text(max_size=8)
numbers = st.sampled_from([0, 1, 5, 10, 20, -1, 2**31, 10**400, 1e308, float("nan"), float("inf"), 0.5])
scalars = st.none() | st.booleans() | numbers | texts
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with two images of 20 x 10, a.jpg and b.png."""
    root = tmp_path_factory.mktemp("fuzz")
    for name in ("a.jpg", "b.png"):
        (root / "images").mkdir(exist_ok=True)
        Image.new("RGB", (20, 10)).save(root / "images" / name)
    return root


def survives(action: Callable[[], object]) -> None:
    """Run it; a UserError must have a message, any other exception fails the test."""
    try:
        action()
    except UserError as error:
        assert str(error).strip()


def read_all_ways(folder: Path, path: Path) -> None:
    def masks() -> None:
        for image in read_annotations(path).values():
            survives(image.mask)
            survives(image.ignore_mask)

    survives(masks)
    survives(lambda: custom_manifest(folder / "images", path, folder / "manifest"))


def likely(good: object) -> st.SearchStrategy:
    """Mostly the good value, so that what comes after it is reached too."""
    return st.just(good) | st.just(good) | anything


run_lengths = st.fixed_dictionaries(
    {
        "size": likely([10, 20]),
        "counts": likely([200]) | likely("0h5") | st.text("0123456789Pnho`", max_size=9),
    }
)
coco_objects = st.fixed_dictionaries(
    {"image_id": likely(1)},
    optional={
        "id": scalars,
        "category_id": likely(1),
        "bbox": likely([1, 2, 3, 4]) | st.lists(numbers, min_size=4, max_size=4),
        "segmentation": anything | run_lengths | st.lists(st.lists(numbers, max_size=8), max_size=3),
        "iscrowd": scalars,
    },
)
coco_images = st.fixed_dictionaries(
    {"id": likely(1), "file_name": likely("a.jpg")}, optional={"width": likely(20), "height": likely(10)}
)
coco_files = st.fixed_dictionaries(
    {
        "images": anything | st.lists(coco_images | anything, max_size=3),
        "annotations": anything | st.lists(coco_objects | anything, max_size=4),
        "categories": anything | st.lists(likely({"id": 1, "name": "bird"}), max_size=2),
    }
)


@fuzzed
@given(content=coco_files | anything | st.lists(coco_objects, max_size=3))
def test_coco_json(folder, content):
    path = folder / "annotations.json"
    path.write_text(json.dumps(content))
    read_all_ways(folder, path)


@fuzzed
@given(
    content=st.binary(max_size=200)
    | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))
)
def test_bytes_in_any_format(folder, content):
    for suffix in ("json", "csv", "xml"):
        path = folder / f"bytes.{suffix}"
        path.write_bytes(content)
        read_all_ways(folder, path)


xml_texts = texts.map(lambda text: text.encode("utf-8", "ignore").decode().replace("\0", ""))
elements = st.recursive(
    xml_texts,
    lambda inner: st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "annotation",
                    "object",
                    "name",
                    "bndbox",
                    "xmin",
                    "ymin",
                    "xmax",
                    "ymax",
                    "size",
                    "width",
                    "height",
                ]
            ),
            inner,
        ),
        max_size=6,
    ),
    max_leaves=25,
)


def as_xml(element: object) -> str:
    if isinstance(element, str):
        return element
    assert isinstance(element, list)
    return "".join(f"<{tag}>{as_xml(inner)}</{tag}>" for tag, inner in element)


def voc_object(corners: list[str], name: str) -> str:
    tags = zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
    box = "".join(f"<{tag}>{value}</{tag}>" for tag, value in tags)
    return f"<object><name>{name}</name><bndbox>{box}</bndbox></object>"


voc_objects = st.builds(voc_object, st.lists(xml_texts, min_size=4, max_size=4), xml_texts)
xml_heads = st.sampled_from(
    [
        *("", "\ufeff", '<!DOCTYPE a [<!ENTITY b "c">]>'),
        *(f'<?xml version="1.0" encoding="{name}"?>' for name in ("utf-8", "utf-16", "klingon")),
    ]
)


@fuzzed
@given(head=xml_heads, body=elements.map(as_xml) | st.lists(voc_objects, max_size=3).map("".join))
def test_voc_xml(folder, head, body):
    path = folder / "voc" / "a.xml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{head}<annotation>{body}</annotation>", encoding="utf-8")
    read_all_ways(folder, path.parent)


columns = st.sampled_from(
    [
        "image",
        "label",
        "x0",
        "y0",
        "x1",
        "y1",
        "x",
        "y",
        "width",
        "height",
        "split",
        "mask",
        "ignore",
        "",
        "x2",
        "y2",
        "xmin",
        "left",
    ]
)
cells = texts | numbers.map(str)


@fuzzed
@given(
    header=st.permutations(["image", "label", "x0", "y0", "x1", "y1"]) | st.lists(columns, max_size=9),
    rows=st.lists(st.lists(cells, max_size=9) | st.lists(cells, min_size=6, max_size=6), max_size=4),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_csv(folder, header, rows, end):
    path = folder / "boxes.csv"
    content = end.join(",".join(row) for row in [header, *rows])
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    read_all_ways(folder, path)
