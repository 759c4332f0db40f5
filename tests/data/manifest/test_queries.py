"""Images that show several labelled classes, asked for each of them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_draft import DraftBox, DraftClass, DraftImage, ManifestDraft
from wsol.data.manifest.manifest_info import FORMAT
from wsol.data.manifest.manifest_writing import write_manifest
from wsol.data.manifest.queries import QuerySplit, query_id, scored_split
from wsol.errors import UserError

IMAGES = """image_id,path,label,width,height,split
t,t.png,0,40,30,train
a,s/a.png,2,40,30,test
s/b,b.png,,50,20,test
c,c.png,1,50,20,test
"""
# Image a shows classes 2, 0 and 2 again, b shows 1, c has no box; the box of train has no label.
BOXES = """image_id,x0,y0,x1,y1,source_x0,source_y0,source_x1,source_y1,label,instance
t,0,0,9,9,0,0,9,9,,
a,0,0,9,9,0,0,8,8,2,7
a,1,1,5,5,1,1,4,4,0,8
s/b,2,2,6,6,2,2,5,5,1,0
a,3,3,7,7,3,3,6,6,2,9
"""
MASKS = "image_id,mask,ignore,parts\na,m.png,i.png,p.png\nc,c.png,,\n"
CLASSES = "label,name,key\n0,gull,g\n1,wren,w/x\n2,tit,t\n"


def write(folder: Path, boxes: str = BOXES, **info: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("images", IMAGES), ("boxes", boxes), ("masks", MASKS), ("classes", CLASSES)):
        (folder / f"{name}.csv").write_text(text)
    content = {"format": FORMAT, "dataset": "mine", "root": "r", "parts": {"1": "head"}, **info}
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def split(tmp_path) -> QuerySplit:
    found = scored_split(Manifest.read(write(tmp_path, queries=True)), "test")
    assert isinstance(found, QuerySplit)
    return found


def test_a_query_is_an_image_and_a_class_that_its_boxes_show(split, tmp_path):
    assert split.image_ids == ["a@g", "a@t", "s/b@w%2Fx"]
    assert split.labels.tolist() == [0, 2, 1] and len(split) == 3
    root = (tmp_path / "r").resolve().as_posix()
    assert split.paths == [f"{root}/s/a.png", f"{root}/s/a.png", f"{root}/b.png"]
    assert split.sizes.tolist() == [[30, 40], [30, 40], [20, 50]]
    assert split.annotated and split.name == "test"


def test_only_the_boxes_of_its_class_count_and_no_mask(split):
    found = split.annotations()
    assert list(found) == split.image_ids
    assert [one.image_id for one in found.values()] == split.image_ids
    gull, tit, wren = found.values()
    np.testing.assert_array_equal(gull.boxes, [[1, 1, 5, 5]])
    np.testing.assert_array_equal(tit.boxes, [[0, 0, 9, 9], [3, 3, 7, 7]])
    np.testing.assert_array_equal(tit.source_boxes, [[0, 0, 8, 8], [3, 3, 6, 6]])
    np.testing.assert_array_equal(wren.boxes, [[2, 2, 6, 6]])
    assert tit.box_labels.tolist() == [2, 2] and tit.box_instances.tolist() == [7, 9]
    assert [one.label for one in found.values()] == [0, 2, 1]
    assert [one.group for one in found.values()] == ["a", "a", "s/b"]
    assert [one.present for one in found.values()] == [(0, 2), (0, 2), (1,)]
    for one in found.values():
        assert (one.masks, one.ignore, one.parts, one.part_names) == ((), (), "", {})


def test_some_queries_of_a_split_are_a_split(split):
    assert split.only({"a@t", "s/b@w%2Fx"}).labels.tolist() == [2, 1]
    few = split.where(np.array([True, False, True]))
    assert isinstance(few, QuerySplit) and list(few.annotations()) == ["a@g", "s/b@w%2Fx"]
    assert few.annotations()["a@g"].present == (0, 2)  # whatever of its image is left out
    # Of the classes asked for, not of the images' own.
    twice = [0, 0, 1, 2]
    again = dataclasses.replace(split, rows=split.rows[twice], queried=split.queried[twice])
    assert again.first_per_class(1).labels.tolist() == [0, 2, 1]
    assert split.first_per_class(0) is split


def test_what_is_trained_on_and_other_manifests_are_images(tmp_path):
    asked = Manifest.read(write(tmp_path / "1", queries=True))
    assert asked.queries and scored_split(asked, "train").image_ids == ["t"]
    assert asked.split("test").image_ids == ["a", "s/b", "c"]  # what is looked at, e.g. contact sheets
    plain = Manifest.read(write(tmp_path / "2"))
    assert not plain.queries and scored_split(plain, "test").image_ids == ["a", "s/b", "c"]
    assert all(one.group == "" for one in scored_split(plain, "test").annotations().values())
    with pytest.raises(UserError, match="no split 'tset': did you mean 'test'"):
        scored_split(asked, "tset")


def test_the_hash_tells_queries_from_images_and_nothing_else_changes_it(tmp_path):
    plain = Manifest.read(write(tmp_path / "1")).hash
    assert Manifest.read(write(tmp_path / "2", queries=False)).hash == plain
    assert Manifest.read(write(tmp_path / "3", queries=True)).hash != plain


@pytest.mark.parametrize("given", ["yes", 1, None])
def test_queries_are_declared_by_true(tmp_path, given):
    folder = write(tmp_path, queries=given)
    with pytest.raises(UserError) as caught:
        Manifest.read(folder)
    assert str(caught.value) == (
        f'{folder}/manifest.json: "queries" must be true or false, not {given!r}'
    )


def test_a_box_without_a_label_is_named(tmp_path):
    folder = write(tmp_path, BOXES.replace("1,1,4,4,0,8", "1,1,4,4,,8"), queries=True)
    with pytest.raises(UserError) as caught:
        Manifest.read(folder)
    said = "the box has no label, which it needs where images are scored by queries"
    assert str(caught.value) == f"{folder}/boxes.csv line 4: {said}"
    images_only = write(tmp_path, BOXES.replace("1,1,4,4,0,8", "1,1,4,4,,8"))
    assert Manifest.read(images_only).split("test").annotations()["a"].box_labels.tolist() == [2, -1, 2]


def _draft(root: Path, label: int | None, split: str = "val") -> ManifestDraft:
    root.mkdir(exist_ok=True)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(root / "a.png")
    corners = (0.0, 0.0, 4.0, 4.0)
    boxes = (
        DraftBox(corners, corners, "list line 1", 1),
        DraftBox(corners, corners, "list line 2", label),
    )
    images = [DraftImage("a", "a.png", 0, split, boxes)]
    classes = [DraftClass(name, name) for name in "gw"]
    return ManifestDraft("mine", "Mine", "1", root, classes, images)


def test_a_draft_says_so_and_comes_back(tmp_path):
    made = _draft(tmp_path / "root", 0)
    plain = write_manifest(tmp_path / "plain", made)
    assert "queries" not in plain
    made.queries = True
    info = write_manifest(tmp_path / "m", made)
    manifest = Manifest.read(tmp_path / "m")
    assert info["queries"] is True and manifest.queries
    assert manifest.hash == info["hash"] != plain["hash"]
    assert scored_split(manifest, "val").image_ids == ["a@g", "a@w"]


def test_a_draft_lacking_a_label_is_no_manifest(tmp_path):
    made = _draft(tmp_path / "root", None)
    made.queries = True
    with pytest.raises(UserError) as caught:
        write_manifest(tmp_path / "m", made)
    said = "the box has no label, which it needs where images are scored by queries"
    assert str(caught.value) == f"list line 2: {said}" and not (tmp_path / "m").exists()
    trained = _draft(tmp_path / "root", None, "train")
    trained.queries = True
    write_manifest(tmp_path / "m", trained)


def test_an_id_is_a_file_name_everywhere_and_of_one_query():
    assert query_id("test/7", "wren") == "test/7@wren"
    assert query_id("7", 'a:b*?"<>|\\') == "7@a%3Ab%2A%3F%22%3C%3E%7C%5C"
    pairs = [
        (image, key) for image in ("a", "a@b", "a%40b") for key in ("b", "b@c", "b%40c", "b/c", "é")
    ]
    assert len({query_id(*pair) for pair in pairs}) == len(pairs)
