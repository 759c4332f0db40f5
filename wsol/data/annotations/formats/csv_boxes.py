"""Boxes, labels and masks as one CSV table: a row an object, columns by the names in use."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from wsol.data.annotations.annotated import (
    AnnotatedImage,
    Place,
    checked_box,
    checked_file,
    checked_size,
    has_no_area,
    number,
)
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.formats.csv_columns import Columns
from wsol.data.annotations.left_out import LeftOut
from wsol.data.annotations.masks.mask_files import MaskFile
from wsol.data.annotations.packed_objects import Entry, ObjectTable
from wsol.data.manifest.box_conventions import half_open
from wsol.errors import UserError
from wsol.files.csv_table import table_rows
from wsol.files.reading import refuse_no_file

DECIMAL_COMMA = re.compile(r"[-+]?[0-9]*,[0-9]+")

T = TypeVar("T")
Corners = tuple[float, float, float, float]
Size = tuple[int, int] | None


def read_csv(path: Path, reading: AnnotationPass) -> list[AnnotatedImage]:
    """Every image of the table; rows of one image are its objects; what is wrong goes to ``reading``.

    Columns, in any order and letter case: the image (``image``, ``image_id``, ``file`` ...); then any
    of ``label``, ``score``, a box (``x0,y0,x1,y1``, ``xmin,ymin,xmax,ymax`` or ``x,y,width,height``),
    ``split``, ``mask`` and ``ignore`` (PNG files, relative to the table), the image's ``width,height``.
    Between cells stand commas, semicolons (decimal commas are read then) or tabs. Empty box cells mean
    an image without object. Other columns are noted and left out. ``UserError`` where it is no such
    table.
    """
    rows = _rows(path)
    line, header = next(rows, (1, []))
    if not header:
        raise UserError(f"{path}: an empty table; its first line names columns: image,x0,y0,x1,y1")
    table = _Table(path, [cell.lower() for cell in header], reading)
    for line, cells in rows:
        if len(cells) != len(header):
            reading.findings.append(
                f"{path} line {line}: {len(cells)} cells where there are {len(header)} columns"
            )
        else:
            table.add(cells, line)
    return table.images()


class _Row:
    """What is kept of one image until the table ends."""

    __slots__ = ("has_objects", "label", "line", "number", "size", "split")

    def __init__(self, number: int, line: int, size: Size, label: str, split: str) -> None:
        self.number, self.line, self.size, self.label, self.split = number, line, size, label, split
        self.has_objects = False


class _Table:
    """The columns that were found, and the images collected so far."""

    def __init__(self, path: Path, header: list[str], reading: AnnotationPass) -> None:
        self.path, self.reading, self.findings = path, reading, reading.findings
        self.columns = Columns(path, header)
        if self.columns.unknown:
            left_out = ", ".join(self.columns.unknown)
            reading.notes.append(f"{path}: columns left out: {left_out}")
        self.shares = reading.shares
        self.convention = reading.convention("half-open") if self.columns.corners else "half-open"
        self.before = f"{path} line "
        self.objects = ObjectTable(self.before, convention=self.convention)
        self.left_out = LeftOut(path)
        self.found: dict[str, _Row] = {}
        self.words: dict[object, object] = {}  # labels, splits and sizes occur many times: kept once

    def add(self, cells: Sequence[str], line: int) -> None:
        """Take one row."""
        where = Place(self.before, line)
        file = checked_file(self.columns.cell(cells, "image"), where, self.findings)
        if not file:
            return
        size: Size = None
        if self.columns.size:
            height, width = (cells[place] for place in self.columns.size)
            size = self._once(checked_size(height, width, where, self.findings))
        label, split = (self._once(self.columns.cell(cells, what)) for what in ("label", "split"))
        image = self.found.get(file)
        first = image is None
        if image is None:
            image = self.found[file] = _Row(len(self.found), line, size, label, split)
        told = self._objects(image.number, cells, label, where)
        if first:
            image.has_objects = told
            return
        earlier = Place(self.before, image.line)
        for what, own, other in (("split", split, image.split), ("size", size, image.size)):
            if own != other:
                self.findings.append(f"{where}: {file!r} has another {what} than in {earlier}")
        if not told or not image.has_objects:
            self.findings.append(f"{where}: {file!r} is already in {earlier}")
        image.has_objects |= told
        # Objects of several classes: the image has no label of its own then.
        image.label = label if label == image.label else ""

    def images(self) -> list[AnnotatedImage]:
        """All images, in the table's order."""
        self.reading.notes += self.left_out.notes()
        named = any(self.objects.categories) or any(row.label for row in self.found.values())
        objects = self.objects.by_image(len(self.found))
        return [
            AnnotatedImage(
                file,
                Place(self.before, row.line),
                own,
                row.size,
                row.label,
                row.split,
                own_classes=named,
                folder=self.path.parent,
                shares=self.shares,
            )
            for (file, row), own in zip(self.found.items(), objects, strict=True)
        ]

    def _objects(self, image: int, cells: Sequence[str], label: str, where: Place) -> bool:
        """Take the row's objects; whether it has any, be it one of no area."""
        left_out = self.left_out.count
        box, score = self._box(cells, where), self._score(cells, where)
        mask, ignore = (self._mask(self.columns.cell(cells, what), where) for what in ("mask", "ignore"))
        if box is not None or mask is not None:
            self.objects.add(image, Entry(label, box, mask, False, score, where.number))
        if ignore is not None:
            self.objects.add(image, Entry(label, None, ignore, True, None, where.number))
        return any(item is not None for item in (box, mask, ignore)) or self.left_out.count > left_out

    def _box(self, cells: Sequence[str], where: Place) -> Corners | None:
        """The source's corners; None where there is no box."""
        places = self.columns.corners or self.columns.sides
        texts = [cells[place] for place in places] if places else []
        if not any(texts):
            return None
        values = [value for text in texts if (value := number(text)) is not None]
        if len(values) != 4:
            self.findings.append(f"{where}: {','.join(texts)!r} are not four numbers")
            return None
        a, b, c, d = values
        source = (a, b, c, d) if self.columns.corners else (a, b, a + c, b + d)
        corners = source if self.convention == "half-open" else half_open(source, self.convention)
        if has_no_area(corners):
            self.left_out.box(where)
            return None
        told = len(self.findings)
        checked_box(corners, source, where, self.findings)
        return source if len(self.findings) == told else None

    def _score(self, cells: Sequence[str], where: Place) -> float | None:
        text = self.columns.cell(cells, "score")
        score = number(text)
        if text and score is None:
            self.findings.append(f"{where}: score {text!r} is no number")
        return score

    def _mask(self, name: str, where: Place) -> MaskFile | None:
        file = checked_file(name, where, self.findings, opened=True) if name else ""
        return MaskFile(self.path.parent / file) if file else None

    def _once(self, value: T) -> T:
        return self.words.setdefault(value, value)  # pyright: ignore[reportReturnType]


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of each row that is not empty, the header first."""
    refuse_no_file(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            delimiter = _delimiter(file.readline())
            file.seek(0)
            for line, cells in table_rows(file, strict=True, delimiter=delimiter):
                if any(map(str.strip, cells)):
                    cells = [cell.strip() for cell in cells]
                    yield line, list(map(_with_point, cells)) if delimiter == ";" else cells
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not a UTF-8 CSV table ({error}); spreadsheets often write Windows-1252 or UTF-16: "
            'save it as "CSV UTF-8"'
        ) from error
    except (OSError, csv.Error) as error:
        raise UserError(f"{path}: not a UTF-8 CSV table ({error})") from error


def _delimiter(head: str) -> str:
    """What stands between cells: where the comma is the decimal sign, spreadsheets write semicolons."""
    if "," in head:
        return ","
    return next((sign for sign in (";", "\t") if sign in head), ",")


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell
