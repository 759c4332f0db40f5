"""The files of proposals: by which images they are named, what is missing, what is damaged."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_info import FORMAT
from wsol.errors import UserError
from wsol.files.pictures.images import open_image
from wsol.maps.proposals import proposal_files as files
from wsol.maps.proposals.merged_regions import proposals

TABLES = {
    "images.csv": "image_id,path,label,width,height,split\n"
    + "".join(f"{n},{n}.png,0,40,30,test\n" for n in range(5)),
    "boxes.csv": "image_id,x0,y0,x1,y1,source_x0,source_y0,source_x1,source_y1\n",
    "masks.csv": "image_id,mask,ignore\n",
    "classes.csv": "label,name,key\n0,thing,thing\n",
}


@pytest.fixture
def manifest(tmp_path, monkeypatch):
    """Five pictures, two a file: the last file has one."""
    monkeypatch.setattr(files, "IMAGES", 2)
    folder = tmp_path / "manifest"
    folder.mkdir()
    for name, text in TABLES.items():
        (folder / name).write_text(text)
    info = {"format": FORMAT, "dataset": "mine", "root": "."}
    (folder / "manifest.json").write_text(json.dumps(info))
    for number in range(5):
        pixels = np.full((30, 40, 3), 30, np.uint8)
        pixels[5:25, 3 + number : 23 + number] = 200
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return Manifest.read(folder)


def test_what_is_written_is_read_for_any_of_the_images(manifest):
    split = manifest.split("test")
    several = files.proposal_files(split)
    assert [len(file.paths) for file in several] == [2, 2, 1]
    first = [file.write().read_bytes() for file in several]
    assert [file.write().read_bytes() for file in several] == first
    some = split.only({"1", "4"})
    found = files.read_proposals(some)
    assert list(found) == ["1", "4"]
    for image_id, path in zip(some.image_ids, some.paths, strict=True):
        np.testing.assert_array_equal(found[image_id], proposals(open_image(path)))
    assert len(found["4"])


def test_a_manifest_that_was_moved_keeps_them(manifest, tmp_path):
    for file in files.proposal_files(manifest.split("test")):
        file.write()
    shutil.move(manifest.folder, tmp_path / "moved")
    moved = Manifest.read(tmp_path / "moved")
    assert len(files.read_proposals(moved.split("test"))) == 5


def test_missing_ones_are_told_with_the_command_that_makes_them(manifest):
    split = manifest.split("test")
    files.proposal_files(split)[1].write()
    with pytest.raises(
        UserError, match=r"2 of 3 files of proposals .*: run `wsol propose .* --split test`"
    ):
        files.read_proposals(split)


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_damaged_one_is_named(manifest, content):
    split = manifest.split("test")
    first, second, third = files.proposal_files(split)
    for file in (first, second, third):
        file.write()
    # Whole, but of another number of images; or no file of arrays at all.
    third.path.write_bytes(first.path.read_bytes() if content is None else content)
    with pytest.raises(UserError, match=f"{third.path.name}: damaged .*: delete it"):
        files.read_proposals(split)
