from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_info import FORMAT
from wsol.errors import UserError

IMAGES = "image_id,path,label,width,height,split\n"
BOXES = "image_id,x0,y0,x1,y1,source_x0,source_y0,source_x1,source_y1\n"
MASKS = "image_id,mask,ignore\n"
CLASSES = "label,name,key\n"


def write(
    folder: Path,
    images: str = "a,a.jpg,0,40,30,train\nb,sub/b.jpg,1,50,20,test\nc,c.jpg,,50,20,test\n",
    boxes: str = "b,1,2,11,12,1,2,10,11\nb,20.5,0,50,20,20.5,0,49,19\n",
    masks: str = "c,m/c.png,m/i.png\nc,m/c2.png,m/i.png\n",
    classes: str = "0,gull,001\n1,wren,002\n",
    **info: object,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "images.csv").write_text(IMAGES + images, encoding="utf-8")
    (folder / "boxes.csv").write_text(BOXES + boxes, encoding="utf-8")
    (folder / "masks.csv").write_text(MASKS + masks, encoding="utf-8")
    (folder / "classes.csv").write_text(CLASSES + classes, encoding="utf-8")
    content = {"format": FORMAT, "dataset": "mine", "version": "3", "root": "pictures", **info}
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def findings(folder: Path) -> list[str]:
    with pytest.raises(UserError) as caught:
        Manifest.read(folder)
    return str(caught.value).splitlines()


def test_a_hand_written_folder_is_a_manifest(tmp_path):
    manifest = Manifest.read(write(tmp_path / "m"))
    assert (manifest.name, manifest.version, manifest.splits) == ("mine", "3", {"train": 1, "test": 2})
    assert manifest.root == (tmp_path / "m/pictures").resolve()
    assert manifest.class_keys == ["001", "002"] and manifest.classes == ["gull", "wren"]
    test = manifest.split("test")
    assert test.image_ids == ["b", "c"]
    assert test.labels.tolist() == [1, -1]
    assert test.paths[0] == f"{(tmp_path / 'm/pictures').resolve()}/sub/b.jpg"
    assert test.sizes.tolist() == [[20, 50], [20, 50]]


def test_annotations_carry_both_spellings_of_a_box_and_masks_as_files(tmp_path):
    manifest = Manifest.read(write(tmp_path))
    found = manifest.split("test").annotations()
    assert list(found) == ["b", "c"]
    np.testing.assert_array_equal(found["b"].boxes, [[1, 2, 11, 12], [20.5, 0, 50, 20]])
    np.testing.assert_array_equal(found["b"].source_boxes, [[1, 2, 10, 11], [20.5, 0, 49, 19]])
    assert found["b"].boxes.dtype == np.float32
    assert found["b"].size == (20, 50) and found["b"].label == 1
    root = f"{tmp_path.resolve()}/pictures"
    assert found["c"].boxes.shape == (0, 4)
    assert found["c"].masks == (f"{root}/m/c.png", f"{root}/m/c2.png")
    assert found["c"].ignore == (f"{root}/m/i.png",)


def test_annotated_says_whether_a_split_can_be_localized(tmp_path):
    manifest = Manifest.read(write(tmp_path))
    assert manifest.split("test").annotated and not manifest.split("train").annotated


def test_unknown_split_suggests_the_near_one(tmp_path):
    with pytest.raises(UserError, match=r"no split 'tets': did you mean 'test'"):
        Manifest.read(write(tmp_path)).split("tets")


def test_first_per_class_keeps_the_order(tmp_path):
    rows = "".join(f"i{n},{n}.jpg,{n % 2},9,9,train\n" for n in range(6))
    split = Manifest.read(write(tmp_path, images=rows, boxes="", masks="")).split("train")
    assert split.first_per_class(2).image_ids == ["i0", "i1", "i2", "i3"]
    assert split.first_per_class(0).image_ids == split.image_ids


def test_the_hash_is_of_the_tables_and_not_of_the_place(tmp_path):
    first = Manifest.read(write(tmp_path / "one"))
    moved = Manifest.read(write(tmp_path / "two", root="/elsewhere", title="other words"))
    other = Manifest.read(write(tmp_path / "three", boxes="b,1,2,11,13,1,2,10,11\n"))
    assert first.hash == moved.hash != other.hash
    assert len(first.hash) == 64
    assert Manifest.read(write(tmp_path / "four", exif=True)).hash != first.hash


def test_tables_that_were_edited_after_prepare_are_refused(tmp_path):
    known = Manifest.read(write(tmp_path)).hash
    write(tmp_path, hash=known)
    assert Manifest.read(tmp_path).hash == known
    write(tmp_path, boxes="b,1,2,11,13,1,2,10,11\n", hash=known)
    assert "its hash differs" in findings(tmp_path)[0]


def test_all_findings_of_all_tables_come_at_once_with_their_lines(tmp_path):
    folder = write(
        tmp_path,
        images="a,a.jpg,7,40,30,train\na,b.jpg,0,40,30,test\nc,../c.jpg,0,40,0,test\n,d.jpg,0,9,9,\n",
        boxes="a,52,2,40,12,0,0,1,1\nghost,0,0,1,1,0,0,1,1\na,0,5,9,5,0,0,1,1\na,x,0,1,1,0,0,1,1\n"
        "a,0,0,41,30,0,0,1,1\na,0,0,nan,9,0,0,1,1\n",
        masks="a,/etc/m.png,\na,,\n",
        classes="0,gull,001\n3,wren,001\n",
    )
    lines = [line.removeprefix(f"{folder}/") for line in findings(folder)]
    assert lines == [
        "classes.csv line 3: label '3' should be 1",
        "classes.csv line 3: key '001' is already in line 2",
        "images.csv line 2: label '7' has no class in classes.csv",
        "images.csv line 3: image_id 'a' is already in line 2",
        "images.csv line 4: path '../c.jpg' leaves the root",
        "images.csv line 4: size '40' x '0' is not a size in pixels",
        "images.csv line 5: no image_id",
        "images.csv line 5: no split",
        "boxes.csv line 2: x1 (40) is not right of x0 (52)",
        "boxes.csv line 3: image 'ghost' is not in images.csv",
        "boxes.csv line 4: y1 (5) is not below y0 (5)",
        "boxes.csv line 5: x,0,1,1,0,0,1,1 are not eight numbers",
        "boxes.csv line 6: box 0 0 41 30 sticks out of the image (40 x 30)",
        "boxes.csv line 7: 0 0 nan 9 are not finite numbers",
        "masks.csv line 2: mask '/etc/m.png' must be relative to the root",
        "masks.csv line 3: neither mask nor ignore mask",
    ]


@pytest.mark.parametrize(
    ("table", "content", "said"),
    [
        (
            "images.csv",
            "id,path\n",
            "line 1: the columns must be image_id,path,label,width,height,split",
        ),
        ("boxes.csv", BOXES + "b,1,2\n", "line 2: 3 cells where there are 9 columns"),
        ("classes.csv", "", "line 1: the columns must be label,name,key"),
        ("masks.csv", "\x00", "masks.csv"),
    ],
)
def test_a_broken_table_is_named(tmp_path, table, content, said):
    folder = write(tmp_path)
    (folder / table).write_text(content)
    assert said in findings(folder)[0]


def test_byte_order_mark_crlf_blanks_and_other_scripts_are_read(tmp_path):
    folder = write(tmp_path, images="", boxes="", masks="")
    text = IMAGES + "鳥 один, img/鳥.jpg , 0 ,9,9, test\n\n"
    (folder / "images.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    split = Manifest.read(folder).split("test")
    assert split.image_ids == ["鳥 один"] and split.paths[0].endswith("/img/鳥.jpg")


def test_a_table_that_is_missing_or_no_text_is_named(tmp_path):
    folder = write(tmp_path)
    (folder / "boxes.csv").write_bytes(b"\xff\xfe\x00")
    assert "boxes.csv: not a UTF-8 CSV table" in findings(folder)[0]
    (folder / "boxes.csv").unlink()
    assert "boxes.csv: no such table" in findings(folder)[0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,a.jpg,0,99999999999,30,test", "size '99999999999' x '30' is not a size in pixels"),
        (f"a,a.jpg,{'1' * 5000},40,30,test", f"label {'1' * 40!r} has no class in classes.csv"),
        (".,a.jpg,0,40,30,test", "image_id '.' names nothing"),
    ],
)
def test_numbers_and_names_beyond_reason_are_findings(tmp_path, row, message):
    folder = write(tmp_path, images=f"{row}\n", boxes="", masks="")
    assert findings(folder) == [f"{folder}/images.csv line 2: {message}"]


@pytest.mark.parametrize("root", ["a\0b", "\ud800"])
def test_a_root_that_no_folder_can_have_is_named(tmp_path, root):
    (line,) = findings(write(tmp_path, root=root))
    assert line.startswith(f'{tmp_path}/manifest.json: "root" ')


@pytest.mark.parametrize("content", ["{", "[]", '{"format": "other"}', '{"root": 3}'])
def test_what_is_no_manifest_is_refused(tmp_path, content):
    folder = write(tmp_path)
    (folder / "manifest.json").write_text(content)
    assert "manifest.json" in findings(folder)[0]


def test_a_folder_without_manifest_says_how_to_make_one(tmp_path):
    assert "wsol prepare" in findings(tmp_path)[0]


def test_one_file_in_two_splits_is_a_contradiction(tmp_path):
    folder = write(tmp_path, images="a,x.jpg,0,9,9,train\nb,x.jpg,0,9,9,test\n", boxes="", masks="")
    assert findings(folder) == [f"{folder}/images.csv line 3: x.jpg is in split 'train' and in 'test'"]
