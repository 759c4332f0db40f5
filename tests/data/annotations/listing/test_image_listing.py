"""Which files below a folder are images of the set."""

from __future__ import annotations

import json
import os
from pathlib import Path

from wsol.data.annotations.listing.image_listing import files_below, list_images
from wsol.data.manifest.manifest_info import FORMAT


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def manifest(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"format": FORMAT, "root": "."}))


def test_listing_leaves_masks_and_hidden_files_out(tmp_path):
    names = ("b.JPG", "a.png", ".hidden.png", "masks/m.png", "c/GroundTruth/g.png", ".d/x.png", "e.txt")
    assert list_images(touch(tmp_path, *names)).files == ["a.png", "b.JPG"]


def test_linked_folders_are_followed_once(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store/a.jpg").touch()
    images = tmp_path / "images"
    images.mkdir()
    (images / "cat").symlink_to(tmp_path / "store")
    (images / "loop").symlink_to(images)
    (tmp_path / "store/loop").symlink_to(tmp_path / "store")
    touch(images, "dog/b.jpg")
    (images / "alias").symlink_to(images / "dog")
    assert list_images(images).files == ["cat/a.jpg", "dog/b.jpg"]


def test_what_wsol_wrote_is_no_image(tmp_path):
    touch(tmp_path, "cat/1.jpg", "output/metrics.json", "output/overlays/cat/1.png")
    touch(tmp_path, "found/boxes.csv", "found/overlays/cat/1.png", "found/masks/cat/1.png")
    manifest(touch(tmp_path / "set", "contact_sheet.png", "images/x.png", "masks/x.png"))
    found = list_images(tmp_path)
    assert found.files == ["cat/1.jpg"] and not found.notes
    assert files_below(tmp_path, (".png",), []) == []


def test_results_written_among_the_images_leave_these_in(tmp_path):
    touch(tmp_path, "1.jpg", "boxes.csv", "overlays/1.png", "masks/1.png", "contact_sheet.png")
    manifest(touch(tmp_path, "ignore_masks/1.png"))
    assert list_images(tmp_path).files == ["1.jpg"]
    # Other programs write files of these names, too.
    for name in ("manifest.json", "boxes.csv", "ignore_masks/1.png"):
        (tmp_path / name).unlink()
    (touch(tmp_path, "dog/metrics.json", "dog/2.jpg") / "dog/manifest.json").write_text("{}")
    assert list_images(tmp_path).files == ["1.jpg", "contact_sheet.png", "dog/2.jpg", "overlays/1.png"]


def test_folders_and_files_can_be_skipped(tmp_path):
    touch(tmp_path, "a.jpg", "cover.jpg", "out/b.png", "out/c/d.png", "sub/cover.jpg")
    skip = [tmp_path / "out", tmp_path / "cover.jpg", tmp_path, tmp_path / "none"]
    assert list_images(tmp_path, skip).files == ["a.jpg", "sub/cover.jpg"]


def test_png_files_of_an_annotations_folder_are_masks_and_its_photographs_images(tmp_path):
    touch(tmp_path, "a.jpg", "truth/a.PNG", "truth/b.jpg")
    assert list_images(tmp_path, annotations=[tmp_path / "truth"]).files == ["a.jpg", "truth/b.jpg"]
    touch(tmp_path, "c.png")
    assert "c.png" in list_images(tmp_path, annotations=[tmp_path]).files


def test_a_mask_folder_beside_no_images_is_noted(tmp_path):
    touch(tmp_path, "cat/1.jpg", "masks/1.jpg", "dog/images/1.jpg", "dog/masks/1.png")
    touch(tmp_path, "bird/1.jpg", "bird/GroundTruth/1.png")
    found = list_images(tmp_path)
    assert found.files == ["bird/1.jpg", "cat/1.jpg", "dog/images/1.jpg"]
    assert len(found.notes) == 1 and found.notes[0].startswith("masks is taken for a folder of masks")
    assert not list_images(tmp_path, annotations=[tmp_path / "masks"]).notes


def test_a_folder_that_cannot_be_listed_is_a_finding(tmp_path, monkeypatch):
    touch(tmp_path, "a.jpg", "closed/b.jpg")
    scandir = os.scandir

    def refusing(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = list_images(tmp_path)
    assert found.files == ["a.jpg"]
    assert found.findings == [f"{tmp_path / 'closed'}: this folder cannot be read (Permission denied)"]
