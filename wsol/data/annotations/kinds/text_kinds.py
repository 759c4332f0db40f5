"""What a text file beside images is: YOLO's labels, lists of images and classes, or something else."""

from __future__ import annotations

import re
from pathlib import Path

from wsol.data.annotations.kinds.kind import Kind
from wsol.data.annotations.listing.image_listing import IMAGE_SUFFIXES

YOLO = Kind("YOLO txt")
DATA_YAML = Kind("YOLO data.yaml")
KITTI = Kind("KITTI txt", "convert it to YOLO txt, COCO JSON or a CSV table")
DOTA = Kind("DOTA txt", "convert it to YOLO txt (class and four corners as shares) or COCO JSON")
IMAGE_SETS = Kind(
    "list of images (Pascal's ImageSets)", "name the folder Annotations or SegmentationClass beside it"
)

CLASS_FILES = ("classes.txt", "obj.names", "_darknet.labels", "predefined_classes.txt", "labels.txt")
# Text files of these names are never labels unless rows of numbers stand in them.
OTHER_FILES = re.compile(
    r"(readme|notes?|licen[cs]e|requirements|changelog|train|val|valid|validation|test|trainval)\b", re.I
)
ROWS = 200  # rows that are looked at
CLASS_ID = re.compile(r"-?\d{1,9}(\.0*)?")


def kind_of_text(path: Path, text: str, cut: bool) -> Kind | None:
    """What ``path`` with the beginning ``text`` is; ``cut``: more follows."""
    if path.suffix.lower() in (".yaml", ".yml"):
        return DATA_YAML if re.search(r"^\s*[\"']?names[\"']?\s*:", text, re.MULTILINE) else None
    if path.suffix.lower() != ".txt" or path.name in CLASS_FILES:
        return None
    rows = [row.split() for row in text.splitlines() if row.strip()]
    if cut:
        rows.pop()
    rows = rows[:ROWS]
    if not rows:
        return None if OTHER_FILES.match(path.name) else YOLO
    if any(_is_label(row) for row in rows):
        return YOLO
    if _most(rows, lambda row: len(row) in (15, 16) and not _number(row[0]) and _numbers(row[1:])):
        return KITTI
    if _most(rows, lambda row: len(row) in (9, 10) and _numbers(row[:8]) and not _number(row[8])):
        return DOTA
    if _most(rows, _names_image):
        return IMAGE_SETS
    return None


def _is_label(row: list[str]) -> bool:
    """Whether a class id and shares stand there, perhaps not all of them sound."""
    if len(row) < 3 or not CLASS_ID.fullmatch(row[0]) or (len(row) == 10 and not _number(row[8])):
        return False
    told = sum(map(_number, row[1:]))
    return told == len(row) - 1 or (len(row) >= 5 and 2 * told >= len(row) - 1)


def _names_image(row: list[str]) -> bool:
    if len(row) == 1:
        return row[0].lower().endswith(IMAGE_SUFFIXES) or bool(re.fullmatch(r"[\w-]*\d[\w-]*", row[0]))
    return len(row) == 2 and row[1] in ("-1", "0", "1")


def _most(rows: list[list[str]], test) -> bool:
    return 2 * sum(map(test, rows)) > len(rows)


def _numbers(words: list[str]) -> bool:
    return all(map(_number, words))


def _number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word
