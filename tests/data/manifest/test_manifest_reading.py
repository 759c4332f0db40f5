"""Labels and instances of boxes and codes of parts, in hand-written tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_info import FORMAT
from wsol.errors import UserError

BOXES = "image_id,x0,y0,x1,y1,source_x0,source_y0,source_x1,source_y1"
NAMES = {"1": "deciding", "2": "shared", "9": "context"}


def write(folder: Path, boxes: str, masks: str = "image_id,mask,ignore\n", **info: object) -> Path:
    """Three classes; images a (of class 2, 40 x 30) and b (of none, 50 x 20)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "classes.csv").write_text("label,name,key\n0,gull,g\n1,wren,w\n2,tit,t\n")
    (folder / "images.csv").write_text(
        "image_id,path,label,width,height,split\na,a.png,2,40,30,test\nb,b.png,,50,20,test\n"
    )
    (folder / "boxes.csv").write_text(boxes)
    (folder / "masks.csv").write_text(masks)
    content = {"format": FORMAT, "dataset": "mine", "root": "pictures", **info}
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def annotations(folder: Path):
    return Manifest.read(folder).split("test").annotations()


def findings(folder: Path) -> list[str]:
    with pytest.raises(UserError) as caught:
        Manifest.read(folder)
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


def test_labels_and_instances_are_those_of_their_boxes(tmp_path):
    rows = (
        "a,0,0,9,9,0,0,9,9,2,0\nb,0,0,5,5,0,0,5,5,1,0\na,9,9,20,20,9,9,20,20,0,1\na,1,1,2,2,1,1,2,2,,\n"
    )
    found = annotations(write(tmp_path, f"{BOXES},label,instance\n{rows}"))
    assert found["a"].boxes[:, 2].tolist() == [9, 20, 2]
    assert found["a"].box_labels.tolist() == [2, 0, -1]
    assert found["a"].box_instances.tolist() == [0, 1, -1]
    assert found["b"].box_labels.tolist() == [1] and found["b"].box_instances.tolist() == [0]
    assert found["a"].label == 2 and found["b"].label == -1


@pytest.mark.parametrize("columns", ["", ",label", ",instance", ",label,instance"])
def test_what_no_row_says_is_not_said(tmp_path, columns):
    rows = f"a,0,0,9,9,0,0,9,9{',' * columns.count(',')}\n"
    found = annotations(write(tmp_path, f"{BOXES}{columns}\n{rows}"))
    for annotation in found.values():
        assert annotation.box_labels is None and annotation.box_instances is None
        assert annotation.parts == "" and annotation.part_names == {}


def test_one_of_the_columns_is_enough(tmp_path):
    found = annotations(write(tmp_path, f"{BOXES},instance\na,0,0,9,9,0,0,9,9,41\n"))["a"]
    assert found.box_labels is None and found.box_instances.tolist() == [41]


def test_wrong_labels_and_instances_are_named_with_their_lines(tmp_path):
    rows = [
        *("a,0,0,9,9,0,0,9,9,3,0", "a,0,0,9,9,0,0,9,9,-1,1", "a,0,0,9,9,0,0,9,9,gull,2"),
        *("a,0,0,9,9,0,0,9,9,0,x", "a,0,0,9,9,0,0,9,9,0,1234567"),
        *("a,0,0,9,9,0,0,9,9,0,7", "b,0,0,9,9,0,0,9,9,0,7", "a,0,0,9,9,0,0,9,9,1,7"),
        "a,0,0,99,9,0,0,9,9,5,8",
    ]
    folder = write(tmp_path, f"{BOXES},label,instance\n" + "\n".join(rows) + "\n")
    assert findings(folder) == [
        "boxes.csv line 2: label '3' has no class in classes.csv",
        "boxes.csv line 3: label '-1' has no class in classes.csv",
        "boxes.csv line 4: label 'gull' has no class in classes.csv",
        "boxes.csv line 5: instance 'x' is not a number of up to six digits",
        "boxes.csv line 6: instance '1234567' is not a number of up to six digits",
        "boxes.csv line 9: instance 7 of image 'a' is already in line 7",
        "boxes.csv line 10: box 0 0 99 9 sticks out of the image (40 x 30)",
        "boxes.csv line 10: label '5' has no class in classes.csv",
    ]


MASKS = "image_id,mask,ignore,parts\n"


def test_parts_are_a_file_and_names_of_its_codes_beside_the_masks(tmp_path):
    rows = "a,m/a.png,,p/a.png\na,m/a2.png,,\nb,,,p/b.png\n"
    manifest = Manifest.read(write(tmp_path, f"{BOXES}\n", MASKS + rows, parts=NAMES))
    root = f"{tmp_path.resolve()}/pictures"
    found = manifest.split("test").annotations()
    assert found["a"].masks == (f"{root}/m/a.png", f"{root}/m/a2.png")
    assert found["a"].parts == f"{root}/p/a.png" and found["b"].parts == f"{root}/p/b.png"
    assert found["a"].part_names == {1: "deciding", 2: "shared", 9: "context"} == manifest.part_names
    assert found["b"].masks == () and found["b"].ignore == ()


def test_names_of_parts_belong_to_the_hash(tmp_path):
    rows = MASKS + "a,m/a.png,,p/a.png\n"
    one = Manifest.read(write(tmp_path / "1", f"{BOXES}\n", rows, parts=NAMES)).hash
    same = Manifest.read(write(tmp_path / "2", f"{BOXES}\n", rows, parts=dict(reversed(NAMES.items()))))
    other = Manifest.read(write(tmp_path / "3", f"{BOXES}\n", rows, parts=NAMES | {"1": "head"})).hash
    assert one == same.hash != other
    # Without parts an entry that names none changes nothing.
    plain = Manifest.read(write(tmp_path / "4", f"{BOXES}\n")).hash
    assert Manifest.read(write(tmp_path / "5", f"{BOXES}\n", parts={})).hash == plain


def test_wrong_parts_are_named(tmp_path):
    rows = "a,,,p/a.png\na,m.png,,p/other.png\nb,,,../b.png\nb,,,\n"
    assert findings(write(tmp_path / "1", f"{BOXES}\n", MASKS + rows)) == [
        "masks.csv line 3: the parts of image 'a' are already in line 2",
        "masks.csv line 4: parts '../b.png' leaves the root",
        "masks.csv line 5: neither mask nor ignore mask",
        'manifest.json: "parts" must name the codes of the parts in masks.csv',
    ]
    for parts, said in (
        ({"0": "ground"}, ["0 is no code from 1 to 255"]),
        (
            {"01": "a", "256": "b", "x": "c"},
            [f"{code} is no code from 1 to 255" for code in ("01", "256", "x")],
        ),
        ({"1": ""}, ["no name of code 1"]),
        ({"1": 3}, ["code 1 must have a name, not 3"]),
        ({"1": "head", "2": "head"}, ["two codes have one name"]),
    ):
        folder = write(tmp_path / "2", f"{BOXES}\n", parts=parts)
        assert findings(folder) == [f'manifest.json: "parts": {line}' for line in said]
    for parts in (["deciding"], "deciding", 3):
        (line,) = findings(write(tmp_path / "3", f"{BOXES}\n", parts=parts))
        assert line == 'manifest.json: "parts" must name codes, e.g. {"1": "deciding"}'


@pytest.mark.parametrize(("width", "height"), [("999999", "999999"), ("13378", "13378")])
def test_a_size_beyond_every_image_is_a_finding(tmp_path, width, height):
    """Masks and frames are made of the size: a table may not ask for terabytes."""
    folder = write(tmp_path, f"{BOXES}\n")
    table = folder / "images.csv"
    table.write_text(table.read_text().replace("40,30", f"{width},{height}"))
    (finding,) = findings(folder)
    assert finding.startswith(f"images.csv line 2: size {width} x {height} is over the 178,956,970 pix")
    table.write_text(table.read_text().replace(f"{width},{height}", "13377,13377"))
    assert Manifest.read(folder).split("test").sizes[0].tolist() == [13377, 13377]
