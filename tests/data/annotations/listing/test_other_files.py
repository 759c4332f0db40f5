"""What lies beside images: read for what it is, or counted; nothing is silent."""

from __future__ import annotations

import io

from PIL import Image

from wsol.data.annotations.listing import other_files
from wsol.data.annotations.listing.image_listing import list_images


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    return file.getvalue()


def test_every_suffix_of_a_jpeg_and_none_is_read(tmp_path):
    names = ("1.jpg", "2.JPE", "3.jfif", "4.jpg_large", "5", "6.dat", "7.jpg-orig", "8.heic")
    for name in names:
        (tmp_path / name).write_bytes(jpeg())
    found = list_images(tmp_path)
    assert found.files == sorted(names) and not found.notes


def test_what_is_not_read_is_counted_by_kind_and_named(tmp_path):
    for name in ("a.jpg", "b.heic", "c.HEIC", "d.svg", "e.mp4", "f.npy", "g.xml", "h.xml", "i.md", "k"):
        (tmp_path / name).touch()
    for name in ("Thumbs.db", ".DS_Store"):
        (tmp_path / name).touch()
    found = list_images(tmp_path)
    assert found.files == ["a.jpg"]
    assert found.notes == [
        "5 files left out, of kinds that are not read here: 2 HEIC (e.g. b.heic), 1 NumPy array "
        "(e.g. f.npy), 1 SVG (e.g. d.svg), 1 video (e.g. e.mp4); save them as PNG or JPEG",
        "4 files left out as no images: 2 .xml (e.g. g.xml), 1 .md (e.g. i.md), "
        "1 without suffix (e.g. k)",
    ]


def test_the_given_annotations_are_not_counted(tmp_path):
    (tmp_path / "xml").mkdir()
    for name in ("a.jpg", "coco.json", "other.json", "xml/a.xml", "xml/notes.md"):
        (tmp_path / name).touch()
    found = list_images(tmp_path, annotations=[tmp_path / "coco.json", tmp_path / "xml"])
    assert found.notes == [
        "2 files left out as no images: 1 .json (e.g. other.json), 1 .md (e.g. xml/notes.md)"
    ]


def test_files_whose_names_tell_are_not_opened(tmp_path, monkeypatch):
    for name in ("a.jpg", "b.png", "c.xml", "d.txt", "e.bin"):
        (tmp_path / name).touch()
    opened = []

    def read_head(path):
        opened.append(path.name)
        return b""

    monkeypatch.setattr(other_files, "read_head", read_head)
    assert list_images(tmp_path).files == ["a.jpg", "b.png"]
    assert opened == ["e.bin"]
