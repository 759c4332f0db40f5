"""Boxes, labels and masks as one CSV table: a row an object, columns by the names in use."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from wsol.data.annotations.annotated import (
    AnnotatedImage,
    AnnotatedObject,
    checked_box,
    checked_file,
    checked_size,
    number,
)
from wsol.data.annotations.annotation_masks import MaskFile
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.manifest.box_conventions import half_open
from wsol.data.manifest.manifest_draft import DraftBox
from wsol.errors import UserError
from wsol.files.csv_table import table_rows
from wsol.files.reading import refuse_no_file

NAMES = {
    "image": ("image", "image_id", "file", "filename", "file_name", "path", "name"),
    "label": ("label", "class", "category", "class_name"),
    "split": ("split", "subset", "set"),
    "mask": ("mask", "mask_path"),
    "ignore": ("ignore", "ignore_mask"),
}
# A table with corners may tell the image's size by width and height; with x, y these are the box's.
CORNERS = (("x0", "y0", "x1", "y1"), ("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"))
SIDES = (("x", "y", "width", "height"), ("x", "y", "w", "h"))
SIZES = (("height", "width"), ("image_height", "image_width"))
# A table with some of these columns but no whole box is refused. Width and height alone are an
# image's size.
BOX_NAMES = {name for names in (*CORNERS, *SIDES) for name in names} - {*SIZES[0]}


def read_csv(path: Path, reading: AnnotationPass) -> list[AnnotatedImage]:
    """Every image of the table; rows of one image are its objects; what is wrong goes to ``reading``.

    Columns, in any order and letter case: the image (``image``, ``image_id``, ``file`` ...); then any
    of ``label``, a box (``x0,y0,x1,y1``, ``xmin,ymin,xmax,ymax`` or ``x,y,width,height``), ``split``,
    ``mask`` and ``ignore`` (PNG files, relative to the table), the image's ``width,height``. Empty box
    cells mean an image without object. Other columns are noted and left out. ``UserError`` where it is
    no such table.
    """
    rows = _rows(path)
    line, header = next(rows, (1, []))
    if not header:
        raise UserError(f"{path}: an empty table; its first line names columns: image,x0,y0,x1,y1")
    table = _Table(path, [cell.lower() for cell in header], reading)
    for line, cells in rows:
        where = f"{path} line {line}"
        if len(cells) != len(header):
            reading.findings.append(f"{where}: {len(cells)} cells where there are {len(header)} columns")
        else:
            table.add(cells, where)
    return table.images()


class _Table:
    """The columns that were found, and the images collected so far."""

    def __init__(self, path: Path, header: list[str], reading: AnnotationPass) -> None:
        self.path, self.findings = path, reading.findings
        self.columns = {what: _place(header, names) for what, names in NAMES.items()}
        if self.columns["image"] is None:
            raise UserError(
                f"{path} line 1: no column names the image; call one {', '.join(NAMES['image'][:4])}"
            )
        if repeated := sorted({name for name in header if name and header.count(name) > 1}):
            raise UserError(f"{path} line 1: column {repeated[0]!r} occurs twice")
        self.shares = reading.shares
        self.box = _places(header, CORNERS)
        self.sides = None if self.box else _places(header, SIDES)
        self.size = _places(header, SIZES[1:] if self.sides else SIZES)
        self.convention = reading.convention("half-open") if self.box else ""
        self._check(header, reading)
        self.found: dict[str, AnnotatedImage] = {}

    def add(self, cells: Sequence[str], where: str) -> None:
        """Take one row."""
        file = checked_file(self._cell(cells, "image"), where, self.findings)
        if not file:
            return
        size = None
        if self.size:
            height, width = (cells[place] for place in self.size)
            size = checked_size(height, width, where, self.findings)
        label, split = self._cell(cells, "label"), self._cell(cells, "split")
        objects = self._objects(cells, label, where)
        image = self.found.get(file)
        if image is None:
            self.found[file] = AnnotatedImage(file, where, objects, size, label, split)
            return
        for what, own, first in (("split", split, image.split), ("size", size, image.size)):
            if own != first:
                self.findings.append(f"{where}: {file!r} has another {what} than in {image.where}")
        if not objects or not image.objects:
            self.findings.append(f"{where}: {file!r} is already in {image.where}")
        both = image.objects + objects
        # Objects of several classes: the image has no label of its own then.
        label = label if label == image.label else ""
        self.found[file] = AnnotatedImage(file, image.where, both, image.size, label, image.split)

    def images(self) -> list[AnnotatedImage]:
        """All images, in the table's order."""
        named = any(image.label or image.categories for image in self.found.values())
        return [
            replace(image, own_classes=named, folder=self.path.parent, shares=self.shares)
            for image in self.found.values()
        ]

    def _check(self, header: list[str], reading: AnnotationPass) -> None:
        """``UserError`` where columns tell nothing, or half a box; a note where they are not known."""
        box = self.box or self.sides or ()
        if not box and (part := [name for name in header if name in BOX_NAMES]):
            raise UserError(
                f"{self.path} line 1: columns {', '.join(part)} are not a whole box; name them "
                f"{' or '.join(','.join(names) for names in (*CORNERS[:2], SIDES[0]))}"
            )
        told = [self.columns[what] for what in NAMES if what != "image"]
        if not box and told == [None] * len(told):
            raise UserError(
                f"{self.path} line 1: neither box, mask, label nor split among the columns "
                f"{', '.join(header)}; name a box x0,y0,x1,y1 or x,y,width,height"
            )
        known = {self.columns["image"], *told, *box, *(self.size or ())}
        unknown = [name for place, name in enumerate(header) if name and place not in known]
        if unknown:
            reading.notes.append(f"{self.path}: columns left out: {', '.join(unknown)}")

    def _objects(self, cells: Sequence[str], label: str, where: str) -> tuple[AnnotatedObject, ...]:
        box = self._box(cells, where)
        mask, ignore = (self._mask(self._cell(cells, what), where) for what in ("mask", "ignore"))
        objects = []
        if box is not None or mask is not None:
            objects.append(AnnotatedObject(label, box, mask))
        if ignore is not None:
            objects.append(AnnotatedObject(label, mask=ignore, ignore=True))
        return tuple(objects)

    def _box(self, cells: Sequence[str], where: str) -> DraftBox | None:
        places = self.box or self.sides
        texts = [cells[place] for place in places] if places else []
        if not any(texts):
            return None
        values = [value for text in texts if (value := number(text)) is not None]
        if len(values) != 4:
            self.findings.append(f"{where}: {','.join(texts)!r} are not four numbers")
            return None
        if self.box:
            return checked_box(half_open(values, self.convention), values, where, self.findings)
        x, y, width, height = values
        corners = (x, y, x + width, y + height)
        return checked_box(corners, corners, where, self.findings)

    def _mask(self, name: str, where: str) -> MaskFile | None:
        file = checked_file(name, where, self.findings) if name else ""
        return MaskFile(self.path.parent / file) if file else None

    def _cell(self, cells: Sequence[str], what: str) -> str:
        place = self.columns[what]
        return "" if place is None else cells[place]


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of each row that is not empty, the header first."""
    refuse_no_file(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            # Where the comma is the decimal sign, spreadsheets put semicolons between cells.
            delimiter = ";" if "," not in head and ";" in head else ","
            for line, cells in table_rows(file, strict=True, delimiter=delimiter):
                if any(map(str.strip, cells)):
                    yield line, [cell.strip() for cell in cells]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a UTF-8 CSV table ({error})") from error


def _place(header: list[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _places(header: list[str], choices: Sequence[tuple[str, ...]]) -> tuple[int, ...] | None:
    """Columns of the first choice that is there as a whole."""
    for names in choices:
        if all(name in header for name in names):
            return tuple(header.index(name) for name in names)
    return None
