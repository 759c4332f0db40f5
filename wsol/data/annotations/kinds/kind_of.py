"""What a file of annotations is, by its content: found before anything is said to be wrong with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from wsol.data.annotations.kinds.json_kinds import kind_of_json
from wsol.data.annotations.kinds.kind import Kind
from wsol.data.annotations.kinds.text_kinds import kind_of_text
from wsol.data.annotations.listing.image_listing import IMAGE_SUFFIXES, MASK_SUFFIXES
from wsol.errors import UserError
from wsol.files.reading import refuse_no_file

VOC = Kind("VOC XML")
CVAT = Kind("CVAT XML")
CSV = Kind("CSV table")
MASK = Kind("mask")

CVAT_VIDEO = Kind("CVAT XML for video", "its tracks name no images; export it as CVAT for images 1.1")
MIT_LABELME = Kind("XML of MIT's old LabelMe", "save it as LabelMe JSON, VOC XML or COCO JSON")
ARCHIVE = Kind("archive", "unpack it and name the folder")
PARQUET = Kind("parquet table", "write it as CSV or COCO JSON")
TFRECORD = Kind("TFRecord", "export it as COCO JSON or VOC XML")
MATLAB = Kind("MATLAB file", "write it as CSV or COCO JSON")

HEAD = 2**16  # bytes that tell the kind of a file
STARTS = (
    (b"PK\x03\x04", ARCHIVE),
    (b"\x1f\x8b", ARCHIVE),
    (b"Rar!", ARCHIVE),
    (b"7z\xbc\xaf", ARCHIVE),
    (b"PAR1", PARQUET),
    (b"MATLAB", MATLAB),
)
SUFFIXES = {
    **dict.fromkeys(MASK_SUFFIXES, MASK),
    ".csv": CSV,
    ".tfrecord": TFRECORD,
    ".tfrecords": TFRECORD,
    ".record": TFRECORD,
    ".zip": ARCHIVE,
    ".tar": ARCHIVE,
    ".tgz": ARCHIVE,
    ".parquet": PARQUET,
    ".mat": MATLAB,
}
FIRST_TAG = re.compile(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)[\s/>]")
NOT_TAGS = re.compile(r"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(\[.*?\])?[^>]*>", re.DOTALL)


class Found(NamedTuple):
    """A file and what it is; ``kind`` None: neither image nor annotation of a known format."""

    path: Path
    kind: Kind | None


def kind_of(path: Path) -> Kind | None:
    """What the file is; None where it is neither an image nor an annotation of a known format.

    Pictures that keep their values are taken for masks. ``UserError`` where it cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if suffix in IMAGE_SUFFIXES:
        return None
    head = _head(path)
    for start, kind in STARTS:
        if head.startswith(start):
            return kind
    text = _decoded(head)
    first = text.lstrip("\ufeff \t\r\n\f\v")[:1]
    if suffix == ".json" or (suffix != ".txt" and first and first in "{["):
        return kind_of_json(path)
    if suffix == ".xml" or first == "<":
        return _kind_of_xml(text, suffix)
    return kind_of_text(path, text, len(head) == HEAD)


def _kind_of_xml(text: str, suffix: str) -> Kind | None:
    text = NOT_TAGS.sub("", text)
    found = FIRST_TAG.search(text)
    root = found[1] if found else ""
    if root == "annotation":
        return MIT_LABELME if "<pt>" in text and "bndbox" not in text else VOC
    if root == "annotations":
        return CVAT_VIDEO if "<track " in text and "<image " not in text else CVAT
    if root or suffix != ".xml":
        return None
    return VOC  # cut off or empty: its reader says so


def _head(path: Path) -> bytes:
    refuse_no_file(path)
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error


def _decoded(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    return head.decode("utf-8-sig", "replace")
