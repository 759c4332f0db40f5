"""What a file is by its first bytes."""

from __future__ import annotations

import io

import pytest
from PIL import Image, features

from wsol.errors import UserError
from wsol.files.pictures.images import open_image
from wsol.files.pictures.picture_kinds import HEAD, foreign_kind, is_picture, is_picture_name

BUILT = {"AVIF": "avif", "JPEG2000": "jpg_2000", "WEBP": "webp"}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "PPM", *BUILT])
def test_what_pillow_writes_is_known_by_its_first_bytes(kind):
    if kind in BUILT and not features.check(BUILT[kind]):
        pytest.skip(f"Pillow without {kind}")
    file = io.BytesIO()
    Image.new("RGB", (20, 10), (200, 30, 60)).save(file, kind)
    assert is_picture(file.getvalue()[:HEAD]) and foreign_kind("a.bin", file.getvalue()[:HEAD]) == ""
    assert foreign_kind("a.heic", file.getvalue()[:HEAD]) == ""  # the bytes go before the name


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.bin", b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        ("a.heif", b"", "HEIC"),
        ("a", b"\0" * 128 + b"DICM", "DICOM"),
        ("a.nef", b"MM\0*\0\0\0\x08", "camera raw"),
        ("a.bin", b"\0\0\0\x18ftypcrx ", "camera raw"),
        ("a.bin", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">', "SVG"),
        ("a.dat", b"8BPS\0\x01", "PSD"),
        ("a", b"%PDF-1.7", "PDF"),
        ("a", b"\0\0\0\x20ftypisom", "video"),
        ("a", b"RIFF\0\0\0\0AVI LIST", "video"),
        ("a.npy", b"", "NumPy array"),
        ("a.bin", b"BMW is a maker of cars", ""),
        ("a.xml", b"<annotation>", ""),
    ],
)
def test_pictures_that_are_not_read_have_a_name(name, head, kind):
    assert (foreign_kind(name, head) == kind and not is_picture(head)) or kind == "camera raw"
    assert not is_picture_name(name)


def test_a_photograph_of_a_telephone_that_is_named_jpg_is_told_for_what_it_is(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 50)
    with pytest.raises(UserError, match=r"a\.jpg: a file of the kind HEIC, which is not read here"):
        open_image(tmp_path / "a.jpg")
