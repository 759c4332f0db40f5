"""What is wrong with one's own images, and what is left out, is told: all of it at once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.cli.main import main
from wsol.data.layouts.custom import custom_manifest
from wsol.errors import UserError


def test_everything_wrong_comes_in_one_pass_and_nothing_is_written(tmp_path, capsys, picture):
    """The list of the command's bad input: each named, exit 2, no manifest."""
    images = tmp_path / "images"
    for name in ("flat.jpg", "size.jpg", "mask.jpg", "out.jpg", "twice.jpg", "größe 1.jpg"):
        picture(images / name)
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(images / "whole.jpg")
    (images / "cut.jpg").write_bytes((images / "whole.jpg").read_bytes()[:-100])
    (images / "empty.jpg").touch()
    (images / "page.jpg").write_text("<html>")
    masks = tmp_path / "masks"
    masks.mkdir()
    Image.new("L", (5, 5)).save(masks / "mask.png")
    (masks / "whole.png").write_bytes((masks / "mask.png").read_bytes()[:-20])
    path = tmp_path / "boxes.csv"
    path.write_bytes(
        "\ufeffimage,width,height,x0,y0,x1,y1\r\n"
        "flat.jpg,20,10,3,0,2,5\r\n"
        "size.jpg,200,100,0,0,5,5\r\n"
        "..,20,10,0,0,5,5\r\n"
        "out.jpg,20,10,30,0,35,5\r\n"
        "größe 1.jpg,20,10,5,5,1,9\r\n".encode()
    )
    code = main(
        [
            "prepare",
            "custom",
            "--root",
            str(images),
            "--annotations",
            str(path),
            str(masks),
            "--output",
            str(tmp_path / "m"),
        ]
    )
    error = capsys.readouterr().err
    assert code == 2 and "Traceback" not in error
    for part in (
        f"{path} line 2: x1 (2) is not right of x0 (3)",
        f"{path} line 3: the annotation is of an image of 200 x 100 pixels, but size.jpg has 20 x 10",
        f"{path} line 4: image file '..' leaves the root",
        f"{path} line 5: box 30 0 35 5 lies outside the image (20 x 10)",
        f"{path} line 6: x1 (1) is not right of x0 (5)",
        f"{masks / 'mask.png'}: mask of 5 x 5 pixels, but mask.jpg has 20 x 10",
        f"{masks / 'whole.png'}: damaged image",
        "cut.jpg: damaged image",
        "empty.jpg: empty file",
        "page.jpg: not an image",
    ):
        assert part in error, error
    # Each once, and by its own name: not the copy's in the manifest that was being written.
    assert error.count("whole.png") == 1 and "wsol-" not in error and "manifest" not in error
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["boxes.csv", "images", "masks"]


def test_annotations_of_other_images_are_an_error_and_of_some_a_note(tmp_path, picture, table):
    picture(tmp_path / "images/a.jpg")
    rows = ["a.jpg,cat,0,0,5,5", "gone.jpg,cat,0,0,5,5"]
    manifest = custom_manifest(tmp_path / "images", table(tmp_path / "b.csv", *rows), tmp_path / "m")
    assert any(
        "1 of 2 annotated images are not in the folder, e.g. gone.jpg" in note
        for note in manifest.info["notes"]
    )
    with pytest.raises(UserError, match=r"neither this .* nor any other annotated image"):
        custom_manifest(tmp_path / "images", table(tmp_path / "b.csv", rows[1]), tmp_path / "n")


def test_an_image_of_another_folder_is_not_the_one_annotated(tmp_path, picture, table, labels):
    for name in ("dog/1.jpg", "dog/2.jpg"):
        picture(tmp_path / "images" / name)
    boxes = table(tmp_path / "b.csv", "cat/1.jpg,cat,0,0,5,5", "dog/2.jpg,dog,1,1,9,9")
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m")
    assert labels(manifest, "test") == {"dog/2": "dog"} and labels(manifest, "train") == {"dog/1": "dog"}
    assert any(
        "1 of 2 annotated images are not in the folder" in note for note in manifest.info["notes"]
    )


def test_results_among_the_images_are_left_out_and_what_is_named(tmp_path, picture):
    for name in ("cat/1.jpg", "dog/1.jpg", "output/overlays/cat/1.png", "charts/plot.png"):
        picture(tmp_path / name)
    (tmp_path / "output/metrics.json").write_text("{}")
    for given in ([tmp_path / "charts"], str(tmp_path / "charts")):
        manifest = custom_manifest(tmp_path, [], tmp_path / "set", skip=given)
        assert manifest.classes == ["cat", "dog"] and manifest.splits == {"train": 2}
    # The manifest itself lies there too, by now.
    assert custom_manifest(tmp_path, [], tmp_path / "set").classes == ["cat", "charts", "dog"]


def test_a_rule_for_corners_needs_a_source_with_corners(tmp_path, picture, table):
    picture(tmp_path / "images/a.jpg")
    sides = table(tmp_path / "s.csv", "a.jpg,0,0,5,5", columns="image,x,y,width,height")
    for sources in (sides, []):
        with pytest.raises(UserError, match="--corners voc has nothing to apply to"):
            custom_manifest(tmp_path / "images", sources, tmp_path / "m", corners="voc")
    picture(tmp_path / "images/b.jpg")
    corners = table(tmp_path / "c.csv", "b.jpg,cat,1,1,5,5")
    manifest = custom_manifest(tmp_path / "images", [sides, corners], tmp_path / "m", corners="voc")
    found = manifest.split("test").annotations()
    assert found["a"].boxes.tolist() == [[0, 0, 5, 5]] and found["b"].boxes.tolist() == [[0, 0, 5, 5]]


def test_notes_say_what_was_left_out_or_had_no_effect(tmp_path, picture, table):
    for name in ("cat/1.jpg", "dog/1.jpg", "masks/1.jpg"):
        picture(tmp_path / "images" / name)
    boxes = table(tmp_path / "b.csv", "cat/1.jpg,0,0,5,5,hat", columns="image,x0,y0,x1,y1,wears")
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m", val_fold=1, split="train")
    notes = "\n".join(manifest.info["notes"])
    assert manifest.classes == ["cat", "dog"] and manifest.splits == {"train": 2}
    for part in (
        "masks is taken for a folder of masks",
        "columns left out: wears",
        "--val-fold 1 holds out nothing: no class has two train images",
    ):
        assert part in notes
    picture(tmp_path / "images/cat/2.jpg")
    boxes = table(tmp_path / "b.csv", "cat/1.jpg,0,0,5,5,Valid", columns="image,x0,y0,x1,y1,split")
    manifest = custom_manifest(tmp_path / "images", boxes, tmp_path / "m", val_fold=1)
    assert manifest.splits == {"train": 2, "val": 1}
    assert "--val-fold 1 holds out nothing: there is a val" in manifest.info["notes"]


def test_files_beside_the_splits_are_an_error_until_they_are_skipped(tmp_path, picture):
    names = [f"{split}/{name}/1.jpg" for split in ("train", "Valid") for name in ("cat", "dog")]
    for name in (*names, "cover.jpg"):
        picture(tmp_path / "images" / name)
    with pytest.raises(UserError, match=r"cover\.jpg: lies in none of the splits"):
        custom_manifest(tmp_path / "images", [], tmp_path / "m")
    assert not (tmp_path / "m").exists()
    skip = tmp_path / "images/cover.jpg"
    manifest = custom_manifest(tmp_path / "images", [], tmp_path / "m", skip=skip)
    assert manifest.classes == ["cat", "dog"] and manifest.splits == {"train": 2, "val": 2}
    manifest = custom_manifest(tmp_path / "images", [], tmp_path / "m", plain_folders=True)
    assert manifest.classes == [] and manifest.splits == {"train": 5}


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path, monkeypatch, picture):
    for name in ("cat/1.jpg", "dog/1.jpg"):
        picture(tmp_path / "images" / name)
    scandir = os.scandir

    def refusing(path):
        if not isinstance(path, int) and Path(path).name == "dog":  # rmtree gives numbers
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(UserError, match=r"images/dog: this folder cannot be read \(Permission denied\)"):
        custom_manifest(tmp_path / "images", [], tmp_path / "m")
