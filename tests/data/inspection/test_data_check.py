from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.cli.main import main
from wsol.data.inspection.data_check import check_data
from wsol.data.layouts.custom import custom_manifest
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_draft import DraftBox, DraftClass, DraftImage, ManifestDraft
from wsol.data.manifest.manifest_writing import write_manifest


def picture(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (10, 20, 3), np.uint8)).save(path)
    return path


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Two classes in train and test; pictures 1 and 2 lie in both, 2 twice in train; masks in test."""
    images = tmp_path / "images"
    for name, seed in {
        "train/cat/a": 1,
        "train/cat/b": 2,
        "train/dog/c": 2,
        "train/dog/d": 3,
        "train/dog/e": 4,
        "test/cat/f": 1,
        "test/dog/g": 2,
        "test/dog/h": 9,
    }.items():
        picture(images / f"{name}.png", seed)
    for name, level in (("f", 255), ("g", 0), ("h", 255)):
        folder = images / "test" / ("cat" if name == "f" else "dog") / "masks"
        folder.mkdir(exist_ok=True)
        Image.new("L", (20, 10), level).save(folder / f"{name}.png")
    masks = [images / "test/cat/masks", images / "test/dog/masks"]
    return custom_manifest(images, masks, tmp_path / "m")


def test_a_sound_set_with_its_duplicates(manifest):
    report = check_data(manifest)
    assert (report.files, report.decoded, report.findings) == (11, 11, [])
    assert report.leaks == [
        [("test", "test/cat/f"), ("train", "train/cat/a")],
        [("test", "test/dog/g"), ("train", "train/cat/b"), ("train", "train/dog/c")],
    ]
    assert report.repeats == []
    assert report.empty_masks == {"test": 1}
    assert report.balance == {"train": (2, 2.5, 3), "test": (1, 1.5, 2)}


def test_only_files_that_changed_are_decoded_again(manifest):
    check_data(manifest)
    assert check_data(manifest).decoded == 0
    changed = manifest.root / "train/dog/d.png"
    picture(changed, 9)
    os.utime(changed, ns=(1, 1))
    report = check_data(manifest)
    assert report.decoded == 1
    assert [("test", "test/dog/h"), ("train", "train/dog/d")] in report.leaks
    (manifest.folder / "check.json").write_text("{broken")
    assert check_data(manifest).decoded == 11


def test_findings_of_all_files(manifest, capsys):
    root = manifest.root
    (root / "train/cat/a.png").unlink()
    (root / "train/cat/b.png").write_bytes((root / "train/cat/b.png").read_bytes()[:200])
    Image.new("RGB", (7, 5)).save(root / "train/dog/c.png")
    Image.new("L", (7, 5)).save(root / "test/cat/masks/f.png")
    Image.new("L", (20, 10)).save(root / "test/dog/masks/g.png")
    assert main(["data", "check", str(manifest.folder)]) == 2
    error = capsys.readouterr().err
    for part in (
        f"{root}/train/cat/a.png: missing",
        f"{root}/train/cat/b.png: damaged image",
        "train/dog/c is 20 x 10 pixels, its file has 7 x 5",
        f"{root}/test/cat/masks/f.png: mask of 7 x 5 pixels, the image test/cat/f has 20 x 10",
    ):
        assert part in error, error
    assert len(error.splitlines()) == 4


def test_what_the_system_refuses_is_looked_at_again(manifest, monkeypatch):
    """Unlike damage, permissions and shares that come back leave a file's stamp as it was."""
    locked = f"{manifest.root}/train/cat/a.png"
    with monkeypatch.context() as patch:
        whole = Image.open

        def refuse(path, *arguments):
            if str(path) == locked:
                raise PermissionError(13, "Permission denied", locked)
            return whole(path, *arguments)

        patch.setattr(Image, "open", refuse)
        report = check_data(manifest)
        assert report.findings == [f"{locked}: cannot be read (Permission denied)"]
        assert report.decoded == 10
    report = check_data(manifest)
    assert (report.decoded, report.findings) == (1, [])
    assert check_data(manifest).decoded == 0


def test_damage_is_remembered(manifest):
    (manifest.root / "train/cat/b.png").write_bytes(b"not a picture")
    assert len(check_data(manifest).findings) == 1
    report = check_data(manifest)
    assert report.decoded == 0 and len(report.findings) == 1


def test_a_folder_that_cannot_be_written_costs_only_the_memory(manifest, monkeypatch, capsys):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("wsol.data.inspection.file_checks.write_text", refuse)
    assert main(["data", "check", str(manifest.folder)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "11 files, 11 decoded now, 0 findings" in shown[0]
    assert shown[-1] == (
        f"note: {manifest.folder}/check.json cannot be written (Permission denied): "
        "the next check decodes all files again"
    )


def test_splits_of_a_set_without_classes_are_counted(tmp_path, capsys):
    for name in ("a", "b"):
        picture(tmp_path / f"i/{name}.png", 1)
    (tmp_path / "boxes.csv").write_text("image,x0,y0,x1,y1\na.png,1,2,3,4\n")
    custom_manifest(tmp_path / "i", tmp_path / "boxes.csv", output=tmp_path / "m")
    assert main(["data", "check", str(tmp_path / "m")]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[1:3] == ["  test: 1 images", "  train: 1 images"]


def test_the_command_says_what_it_found(manifest, capsys):
    assert main(["data", "check", str(manifest.folder), "--workers", "2"]) == 0
    shown = capsys.readouterr().out
    assert "11 files, 11 decoded now, 0 findings" in shown
    assert "test: 3 images, a class has 1 to 2, median 1.5, 1 with an empty mask" in shown
    assert "pictures that lie more than once in several splits: 2" in shown
    assert "  test:test/cat/f = train:train/cat/a" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chek"], "unknown action 'chek': did you mean 'check'?"),
        (["check", "nowhere"], "nowhere: no manifest there"),
        (["check", "nowhere", "--workers", "0"], "--workers: '0' is not a whole number, 1 or more"),
        (["sheet", "nowhere", "--images", "0"], "--images: '0' is not a whole number, 1 or more"),
    ],
)
def test_wrong_use_is_one_line(capsys, arguments, message):
    assert main(["data", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and len(error.splitlines()) == 1


@pytest.fixture
def parts(tmp_path: Path) -> Manifest:
    """a: two things of two classes; b: two of one; c: one, and a box that says nothing; a, b: parts."""
    classes = [DraftClass("gull", "g"), DraftClass("wren", "w")]

    def box(number: int | None, label: int | None) -> DraftBox:
        corners = (2.0, 0.0, 5.0, 4.0)
        return DraftBox(corners, corners, "", label, number)

    for name, seed in (("a", 1), ("b", 2), ("c", 3)):
        picture(tmp_path / f"root/{name}.png", seed)
    pixels = np.zeros((10, 20), np.uint8)
    pixels[:, 5:9], pixels[:, 9:14] = 1, 2
    for name in "ab":
        Image.fromarray(pixels).save(tmp_path / f"root/{name}_parts.png")
    images = [
        DraftImage("a", "a.png", 0, "test", (box(0, 0), box(1, 1)), parts="a_parts.png"),
        DraftImage("b", "b.png", 0, "test", (box(0, 0), box(1, 0)), parts="b_parts.png"),
        DraftImage("c", "c.png", 1, "test", (box(0, 1), box(None, None))),
    ]
    draft = ManifestDraft("mine", "Mine", "1", tmp_path / "root", classes, images)
    draft.part_names = {1: "deciding", 2: "shared"}
    write_manifest(tmp_path / "m", draft)
    return Manifest.read(tmp_path / "m")


def test_images_of_several_classes_and_things_are_counted(parts, capsys):
    report = check_data(parts)
    assert report.findings == [] and report.files == 5
    assert report.several_classes == {"test": 1} and report.several_things == {"test": 2}
    assert main(["data", "check", str(parts.folder)]) == 0
    shown = capsys.readouterr().out
    assert "1 with boxes of several classes, 2 with several instances" in shown
    assert "5 files, 0 decoded now" in shown


def test_codes_that_changed_since_are_found(parts):
    root = parts.root
    pixels = np.array(Image.open(root / "a_parts.png"))
    pixels[0, 0], pixels[0, 1] = 9, 200
    Image.fromarray(pixels).save(root / "a_parts.png")
    Image.new("L", (7, 5)).save(root / "b_parts.png")
    assert check_data(parts).findings == [
        f"{root}/a_parts.png: pixels of code 9, 200, which is not among the named parts",
        f"{root}/b_parts.png: mask of 7 x 5 pixels, the image b has 20 x 10",
    ]
    Image.new("RGB", (20, 10)).save(root / "b_parts.png")
    assert check_data(parts).findings[1] == (
        f"{root}/b_parts.png: codes of parts must be an 8-bit grey or a palette PNG, this is of mode RGB"
    )
