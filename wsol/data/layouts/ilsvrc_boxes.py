"""The two ways in which ILSVRC gives boxes: an XML file an image, or a row of a CSV table."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from wsol.data.manifest.manifest_draft import DraftBox
from wsol.errors import UserError
from wsol.files.reading import refuse_no_file
from wsol.files.text_tables import numbers, whole_number

CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class ImageBoxes:
    """Class key and boxes of one image; ``size`` is the (height, width) they were drawn in, if said."""

    key: str | None
    boxes: tuple[DraftBox, ...]
    size: tuple[int, int] | None
    where: str

    def agrees(self, other: ImageBoxes) -> bool:
        """Whether both sources say the same, in whatever order."""
        own, others = (sorted(box.source for box in side.boxes) for side in (self, other))
        return self.key == other.key and own == others


def read_xml(path: Path, findings: list[str]) -> ImageBoxes:
    """Read one annotation file; what is wrong with it goes to ``findings``."""
    try:
        refuse_no_file(path)
        tree = ElementTree.parse(path).getroot()
    except (OSError, ValueError, LookupError, RecursionError, ElementTree.ParseError) as error:
        findings.append(f"{path}: not an XML annotation ({error})")
        return ImageBoxes(None, (), None, str(path))
    boxes, keys = [], set()
    for count, item in enumerate(tree.iter("object"), start=1):
        where = f"{path} object {count}"
        keys.add((item.findtext("name") or "").strip())
        texts = [(item.findtext(f"bndbox/{corner}") or "").strip() for corner in CORNERS]
        box = inclusive_box(texts, where, findings)
        if box is not None:
            boxes.append(box)
    if not keys:
        findings.append(f"{path}: no object")
    elif len(keys) > 1 or "" in keys:
        findings.append(
            f"{path}: objects must be of one class, they are {', '.join(map(repr, sorted(keys)))}"
        )
    return ImageBoxes(
        min(keys, default="") or None, tuple(boxes), _size(tree, path, findings), str(path)
    )


def read_solution(path: Path, findings: list[str]) -> dict[str, ImageBoxes]:
    """Rows ``ImageId,PredictionString`` of ``LOC_*_solution.csv``: class and corners, repeated."""
    table: dict[str, ImageBoxes] = {}
    refuse_no_file(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            if [cell.strip() for cell in next(reader, [])] != ["ImageId", "PredictionString"]:
                raise UserError(f"{path} line 1: the columns must be ImageId,PredictionString")
            for cells in reader:
                where = f"{path.name} line {reader.line_num}"
                if not cells:
                    continue
                image_id = cells[0].strip()
                words = cells[1].split() if len(cells) == 2 else []
                if not words or len(words) % 5:
                    findings.append(f"{where}: not an id and groups of class, x0, y0, x1, y1")
                    continue
                if image_id in table:
                    findings.append(f"{where}: {image_id!r} is already in {table[image_id].where}")
                groups = [words[start : start + 5] for start in range(0, len(words), 5)]
                boxes = [inclusive_box(group[1:], where, findings) for group in groups]
                if len({group[0] for group in groups}) > 1:
                    findings.append(f"{where}: boxes of several classes")
                found = tuple(box for box in boxes if box is not None)
                table[image_id] = ImageBoxes(words[0], found, None, where)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a UTF-8 CSV table ({error})") from error
    return table


def inclusive_box(texts: list[str], where: str, findings: list[str]) -> DraftBox | None:
    """0-based inclusive corners as a half-open box; None and a finding where the texts are none."""
    corners = numbers(texts, where, findings)
    if corners is None:
        return None
    x0, y0, x1, y1 = corners
    return DraftBox((x0, y0, x1 + 1, y1 + 1), (x0, y0, x1, y1), where)


def _size(tree: ElementTree.Element, path: Path, findings: list[str]) -> tuple[int, int] | None:
    texts = [(tree.findtext(f"size/{side}") or "0").strip() for side in ("height", "width")]
    height, width = map(whole_number, texts)
    if height is None or width is None:
        findings.append(f"{path}: size {texts[1][:40]!r} x {texts[0][:40]!r} is not in pixels")
        return None
    return (height, width) if height and width else None
