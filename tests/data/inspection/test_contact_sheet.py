from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wsol.cli.main import main
from wsol.data.inspection.contact_sheet import (
    BOX,
    IGNORED,
    MASK,
    PARTS,
    box_names,
    choose,
    contact_sheet,
    draw_annotation,
)
from wsol.data.layouts.custom import custom_manifest
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_draft import DraftClass, DraftImage, ManifestDraft
from wsol.data.manifest.manifest_writing import write_manifest
from wsol.errors import UserError
from wsol.scores.samples import Annotation


def test_boxes_and_masks_are_drawn_where_they_are(tmp_path):
    mask, ignore = np.zeros((40, 80), np.uint8), np.zeros((40, 80), np.uint8)
    mask[10:20, 10:30], ignore[30:38, 60:70] = 255, 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    Image.fromarray(ignore).save(tmp_path / "ignore.png")
    annotation = Annotation(
        *("a", 0, (40, 80)),
        boxes=np.array([[40, 4, 60, 24]], np.float32),
        masks=(str(tmp_path / "mask.png"),),
        ignore=(str(tmp_path / "ignore.png"),),
    )
    drawn = np.asarray(draw_annotation(Image.new("RGB", (80, 40), (100, 100, 100)), annotation, 160))
    assert drawn.shape == (80, 160, 3)  # twice the size
    red = (drawn == BOX).all(axis=2)
    rows, columns = np.nonzero(red)
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (80, 8, 119, 47)
    assert not red[12:40, 84:116].any()  # a frame, not a slab
    for colour, box in ((MASK, (20, 20, 60, 40)), (IGNORED, (120, 60, 140, 76))):
        rows, columns = np.nonzero((drawn == colour).all(axis=2))
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == box
    assert (drawn[30, 40] == np.array([100, 100, 100]) // 2 + np.array(MASK) // 2).all()
    assert (drawn[2, 2] == 100).all()


def test_parts_are_tinted_in_their_own_colours_instead_of_the_mask(tmp_path):
    codes, mask = np.zeros((40, 80), np.uint8), np.zeros((40, 80), np.uint8)
    codes[10:20, 10:30], codes[10:20, 40:60], mask[:] = 7, 2, 255
    Image.fromarray(codes).save(tmp_path / "codes.png")
    Image.fromarray(mask).save(tmp_path / "mask.png")
    annotation = Annotation(
        *("a", 0, (40, 80)),
        masks=(str(tmp_path / "mask.png"),),
        parts=str(tmp_path / "codes.png"),
        part_names={7: "shared", 2: "deciding"},
    )
    drawn = np.asarray(draw_annotation(Image.new("RGB", (80, 40), (100, 100, 100)), annotation, 80))
    assert (drawn[15, 50] == 50 + np.array(PARTS[0]) // 2).all()  # the lower code has the first colour
    assert (drawn[15, 20] == 50 + np.array(PARTS[1]) // 2).all()
    assert (drawn[30, 70] == 100).all()


def test_boxes_of_several_classes_are_named():
    boxes = np.array([[0, 0, 5, 5], [1, 1, 9, 9], [2, 2, 9, 9]], np.float32)

    def names(labels):
        said = None if labels is None else np.array(labels)
        return box_names(Annotation("a", 1, (9, 9), boxes, boxes, box_labels=said), ["gull", "wren"])

    assert names([1, 0, -1]) == ["wren", "gull", ""]
    assert names([1, 1, -1]) == names(None) == ["", "", ""]


def test_a_name_is_drawn_inside_its_box():
    boxes = np.array([[10, 10, 90, 60], [100, 20, 190, 90]], np.float32)
    plain = Annotation("a", 0, (100, 200), boxes, boxes)
    named = Annotation("a", 0, (100, 200), boxes, boxes, box_labels=np.array([0, 1]))
    picture = Image.new("RGB", (200, 100), (100, 100, 100))
    without, drawn = (
        np.asarray(draw_annotation(picture, annotation, 200, ["gull", "wren"]))
        for annotation in (plain, named)
    )
    rows, columns = np.nonzero((without != drawn).any(axis=2))
    for x0, y0, x1, y1 in boxes.astype(int).tolist():
        inside = (columns >= x0) & (columns < x1) & (rows >= y0) & (rows < y1)
        assert inside.sum() > 50
        columns, rows = columns[~inside], rows[~inside]
    assert len(rows) == 0


def test_the_sheet_says_which_colour_is_which_part(tmp_path):
    Image.new("RGB", (30, 20), (50, 100, 150)).save(tmp_path / "a.png")
    Image.fromarray(np.full((20, 30), 5, np.uint8)).save(tmp_path / "codes.png")
    image = DraftImage("a", "a.png", 0, "test", parts="codes.png")
    draft = ManifestDraft("mine", "Mine", "1", tmp_path, [DraftClass("gull", "g")], [image])
    draft.part_names = {5: "deciding", 6: "shared"}
    write_manifest(tmp_path / "out/m", draft)
    path = contact_sheet(
        Manifest.read(tmp_path / "out/m").split("test"), tmp_path / "sheet.png", columns=1
    )
    sheet = np.asarray(Image.open(path))
    assert sheet.shape == (180 + 14 + 14, 180, 3)
    legend = sheet[180 + 14 :].reshape(-1, 3).tolist()
    assert list(PARTS[0]) in legend and list(PARTS[1]) in legend


def test_classes_take_turns():
    labels = np.array([0] * 50 + [1] * 3 + [2])
    chosen = choose(labels, 6, seed=0)
    assert np.bincount(labels[chosen]).tolist() == [3, 2, 1]
    assert len(set(chosen.tolist())) == 6 and (np.diff(labels[chosen]) >= 0).all()
    assert choose(labels, 6, seed=0).tolist() == chosen.tolist()
    assert len(choose(labels, 100, seed=0)) == 54
    many = np.arange(200)
    assert choose(many, 10, seed=0).max() > 20  # of all classes, not of the first ones


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    for name in "abc":
        Image.new("RGB", (30, 20), (50, 100, 150)).save(tmp_path / f"images/{name}.png")
    rows = "".join(f"{name},птица {name},1,1,9,9\n" for name in "abc")
    (tmp_path / "b.csv").write_text("image,label,x0,y0,x1,y1\n" + rows, encoding="utf-8")
    return custom_manifest(tmp_path / "images", tmp_path / "b.csv", tmp_path / "m").folder


def test_the_command_writes_the_sheet(folder, capsys):
    assert main(["data", "sheet", str(folder), "--images", "2"]) == 0
    path = folder / "contact_sheet.png"
    assert capsys.readouterr().out.strip() == str(path)
    assert Image.open(path).size == (8 * 180, 180 + 14)
    assert main(["data", "sheet", str(folder), "--split", "tset"]) == 2
    assert "no split 'tset': did you mean 'test'?" in capsys.readouterr().err


def test_a_missing_image_is_named(folder):
    split = Manifest.read(folder).split("test")
    (folder.parent / "images/b.png").unlink()
    with pytest.raises(UserError, match=r"b\.png: missing"):
        contact_sheet(split, folder / "sheet.png")
    assert not (folder / "sheet.png").exists()
