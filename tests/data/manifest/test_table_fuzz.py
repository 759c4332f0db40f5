"""Official tables with damaged cells: `prepare` names what is wrong, or writes what is read again.

WSOL_FUZZ says how many inputs to try in all, drawn anew each time (default 300, always the same).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare
from wsol.errors import UserError

TESTS = 7  # below
fuzzed = settings(
    max_examples=max(1, int(os.environ.get("WSOL_FUZZ", "300")) // TESTS),
    deadline=None,
    derandomize="WSOL_FUZZ" not in os.environ,  # the suite tries the same inputs every time
    suppress_health_check=list(HealthCheck),
)

awkward = st.sampled_from(
    [
        *("", " ", ".", "/", "./", "..", "../a.jpg", "/a.jpg", ".jpg", "C:\\a", "~", "c/.", "c//a.jpg"),
        *("x" * 300, "9" * 5000, "0012", "100", "1000", "-1", "-0", "nan", "1e999", "1e300", "1e-7"),
        *("1.0000001", '"', "a\0", "\ufeff", "\uff11", "\u00b2", "\ud800", "\u2028", "1,2", "0 1"),
    ]
)
cells = awkward | st.text(max_size=6)


@st.composite
def damaged(draw, sound: str, separator: str) -> str:
    """The table with up to three cells or rows changed."""
    rows = [line.split(separator) for line in sound.splitlines()]
    for _ in range(draw(st.integers(0, 3))):
        row = draw(st.integers(0, len(rows) - 1))
        cell = draw(st.integers(0, len(rows[row]) - 1))
        action = draw(st.sampled_from(["change", "change", "change", "insert", "drop", "repeat"]))
        if action == "change":
            rows[row][cell] = draw(cells)
        elif action == "insert":
            rows[row].insert(cell, draw(cells))
        elif action == "repeat":
            rows.append(list(rows[row]))
        elif len(rows[row]) > 1:
            del rows[row][cell]
    return "\n".join(separator.join(row) for row in rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("tables")


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 10)).save(path)


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode("utf-8", "surrogatepass"))


def named_or_read_again(action: Callable[[], object], manifest: Path) -> None:
    """A UserError must have a message, other exceptions fail; what was written must be read."""
    try:
        action()
    except UserError as error:
        assert str(error).strip()
    else:
        Manifest.read(manifest)


def prepared(name: str, root: Path, manifest: Path) -> None:
    named_or_read_again(lambda: prepare(name, root, manifest), manifest)


CUB = {
    "images": "1 c/a.jpg\n2 c/b.jpg",
    "classes": "1 c\n2 d",
    "image_class_labels": "1 1\n2 1",
    "train_test_split": "1 0\n2 1",
    "bounding_boxes": "1 1 2 10 5\n2 0 0 20 10",
}


@fuzzed
@given(
    tables=st.fixed_dictionaries({name: damaged(rows, " ") for name, rows in CUB.items()}),
    cubv2=damaged("c/v.jpg,1,2,10,9", ","),
)
def test_cub(folder, tables, cubv2):
    root = folder / "cub"
    for name in ("images/c/a.jpg", "images/c/b.jpg", "CUBV2/c/v.jpg"):
        picture(root / name)
    write(root / "CUBV2/localization.txt", cubv2)
    for name, content in tables.items():
        write(root / f"{name}.txt", content)
    prepared("cub", root, folder / "m-cub")


METADATA = {
    "class_labels": "c/a.jpg,0\nd/b.jpg,1",
    "image_ids": "c/a.jpg\nd/b.jpg",
    "image_sizes": "c/a.jpg,20,10\nd/b.jpg,20,10",
    "localization": "c/a.jpg,0,0,5,5\nd/b.jpg,d/m.png,\nd/b.jpg,1,1,3,4",
}
metadata = st.fixed_dictionaries({name: damaged(rows, ",") for name, rows in METADATA.items()})


@fuzzed
@given(tables=metadata)
def test_wsolevaluation(folder, tables):
    root = folder / "metadata"
    for name, content in tables.items():
        write(root / "test" / f"{name}.txt", content)
    prepared("wsolevaluation", root, folder / "m-metadata")


@fuzzed
@given(tables=metadata)
def test_openimages(folder, tables):
    root = folder / "openimages"
    for name in ("c/a.jpg", "d/b.jpg", "d/m.png"):
        picture(root / name)
    for name, content in tables.items():
        write(root / "metadata/val" / f"{name}.txt", content)
    prepared("openimages", root, folder / "m-openimages")


@fuzzed
@given(
    boxes=damaged("val2/0/0.jpeg,0,0,5,5\nval2/12/0.jpeg,2,3,19,9", ","),
    mapping=damaged("0/0.jpeg,0/abc.jpg\n12/0.jpeg,12/def.jpg", ","),
)
def test_imagenetv2(folder, boxes, mapping):
    root = folder / "v2"
    picture(root / "0/abc.jpg")
    picture(root / "0012/def.jpg")
    write(root / "localization.txt", boxes)
    write(root / "mapping.txt", mapping)
    prepared("imagenetv2", root, folder / "m-v2")


XML = (
    "<annotation><size><width>|20|</width><height>|10|</height></size><object><name>|n01|</name><bndbox>"
    "<xmin>|1|</xmin><ymin>|2|</ymin><xmax>|8|</xmax><ymax>|9|</ymax></bndbox></object></annotation>"
)
heads = st.sampled_from(
    [
        *("", "", "\ufeff", '<!DOCTYPE a [<!ENTITY b "c">]>'),
        *(f'<?xml version="1.0" encoding="{name}"?>' for name in ("utf-8", "utf-16", "klingon")),
    ]
)


@fuzzed
@given(
    head=heads,
    xml=damaged(XML, "|"),
    solution=damaged("ImageId,PredictionString\nv_1,n01 1 2 8 9 n01 0 0 5 5", ","),
    names=damaged("n01 tench, Tinca tinca\nn02 goldfish", " "),
)
def test_imagenet(folder, head, xml, solution, names):
    root = folder / "ilsvrc"
    for name in ("v_1", "v_2"):
        picture(root / f"ILSVRC/Data/CLS-LOC/val/{name}.JPEG")
    write(root / "ILSVRC/Annotations/CLS-LOC/val/v_2.xml", head + xml.replace("|", ""))
    write(root / "LOC_val_solution.csv", solution)
    write(root / "LOC_synset_mapping.txt", names)
    prepared("imagenet", root, folder / "m-ilsvrc")


TABLES = {
    "images.csv": "image_id,path,label,width,height,split\na,a.jpg,0,20,10,test\nb,b.jpg,,20,10,train",
    "boxes.csv": "image_id,x0,y0,x1,y1,source_x0,source_y0,source_x1,source_y1\na,1,2,9,8,1,2,8,7",
    "masks.csv": "image_id,mask,ignore\nb,m.png,i.png",
    "classes.csv": "label,name,key\n0,gull,001",
}
INFO = '{|"format"|:|"wsol manifest 1"|,|"root"|:|"images"|,|"exif"|:|false|}'
# The same with all optional columns, and names of part codes.
WIDE = TABLES | {
    "boxes.csv": TABLES["boxes.csv"].replace("\n", ",label,instance\n") + ",0,3\na,1,2,9,8,1,2,8,7,,4",
    "masks.csv": "image_id,mask,ignore,parts\nb,m.png,i.png,p.png\na,,,q.png",
}
WIDE_INFO = INFO.replace("|}", '|,|"parts"|:|{|"1"|:|"deciding"|,|"2"|:|"shared"|}|}')


@fuzzed
@given(
    tables=st.fixed_dictionaries({name: damaged(rows, ",") for name, rows in TABLES.items()}),
    info=damaged(INFO, "|")
    | st.sampled_from(["a\\u0000", "\\ud800", "x" * 5000]).map(
        lambda root: f'{{"format": "wsol manifest 1", "root": "{root}"}}'
    ),
)
def test_a_manifest_that_was_edited(folder, tables, info):
    manifest = folder / "edited"
    for name, content in tables.items():
        write(manifest / name, content)
    write(manifest / "manifest.json", info.replace("|", ""))
    named_or_read_again(lambda: Manifest.read(manifest), manifest)


@fuzzed
@given(
    tables=st.fixed_dictionaries({name: damaged(rows, ",") for name, rows in WIDE.items()}),
    info=damaged(WIDE_INFO, "|"),
)
def test_an_edited_manifest_with_labels_instances_and_parts(folder, tables, info):
    manifest = folder / "wide"
    for name, content in tables.items():
        write(manifest / name, content)
    write(manifest / "manifest.json", info.replace("|", ""))

    def read() -> None:
        for split in Manifest.read(manifest).splits:
            Manifest.read(manifest).split(split).annotations()

    named_or_read_again(read, manifest)
