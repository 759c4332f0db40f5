"""``predictions.csv``: the classes that any framework found in each image, best first."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from wsol.errors import UserError
from wsol.files.csv_table import table_rows
from wsol.files.reading import refuse_no_file

TOP = 5
COLUMNS = ("top", "key", "label")  # what a column of classes may be called, before its number
DIGITS = 9  # of a label


def read_classes(path: Path, classes: Mapping[str, int] | None = None) -> dict[str, tuple[int, ...]]:
    """``image_id, top1 .. top5`` as {image_id: labels, best first}.

    Classes are labels or, where ``classes`` ({key: label}) is given, its keys: the one or the other in
    the whole table, whichever all of its cells are. Where they are both, with different classes (folders
    called 1, 2, 10), the columns must say so: ``key1 ..`` or ``label1 ..`` instead of ``top1 ..``.
    Empty cells at a row's end mean fewer classes. ``UserError`` lists what is wrong with its lines; a
    class that ``classes`` lacks is wrong too, since it would count as a miss in silence.
    """
    findings: list[str] = []
    column, rows = _read_rows(path, findings)
    cells = dict.fromkeys(cell for row in rows.values() for cell in row.classes)
    labels = _labels(path, column, list(cells), classes)
    for row in rows.values():
        findings += [
            f"{row.where}: unknown class {cell[:40]!r}" for cell in row.classes if cell not in labels
        ]
        if not row.classes:
            findings.append(f"{row.where}: no class")
    if findings:
        raise UserError.of(findings)
    return {image_id: tuple(labels[cell] for cell in row.classes) for image_id, row in rows.items()}


class _Row(NamedTuple):
    classes: list[str]
    where: str


def _read_rows(path: Path, findings: list[str]) -> tuple[str, dict[str, _Row]]:
    """What the columns are called, and the cells by image id that are not empty."""
    found: dict[str, _Row] = {}
    refuse_no_file(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = table_rows(file, skipinitialspace=True)
            header = [cell.strip() for cell in next(rows, (1, []))[1]]
            column = _column(header, path)
            for line, row in rows:
                where = f"{path} line {line}"
                if not row:
                    continue
                image_id, *cells = (cell.strip() for cell in row)
                if len(row) != len(header):
                    findings.append(f"{where}: {len(row)} cells where there are {len(header)} columns")
                elif image_id in found:
                    findings.append(f"{where}: {image_id!r} is there already")
                else:
                    found[image_id] = _Row([cell for cell in cells if cell], where)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a UTF-8 CSV table ({error})") from error
    return column, found


def _column(header: list[str], path: Path) -> str:
    width = len(header) - 1
    for column in COLUMNS:
        if 1 <= width <= TOP and header == ["image_id", *(f"{column}{k + 1}" for k in range(width))]:
            return column
    raise UserError(f"{path} line 1: the columns are not image_id, top1, ... top{TOP}")


def _labels(
    path: Path, column: str, cells: list[str], classes: Mapping[str, int] | None
) -> Mapping[str, int]:
    """The label of each cell, by the one reading of the whole table."""
    numbers = {
        cell: int(cell) for cell in cells if cell.isascii() and cell.isdigit() and len(cell) <= DIGITS
    }
    if classes is None:
        return numbers
    known = set(classes.values())
    labels = {cell: number for cell, number in numbers.items() if number in known}
    keys = {cell: classes[cell] for cell in cells if cell in classes}
    if column != "top":
        return keys if column == "key" else labels
    if len(keys) == len(labels) == len(cells) and keys != labels:
        cell = next(cell for cell in cells if keys[cell] != labels[cell])
        raise UserError(
            f"{path}: its classes may be labels or keys, and {cell} is the key of label {keys[cell]}; "
            "call the columns label1, ... or key1, ... instead of top1, ..."
        )
    return keys if len(keys) > len(labels) else labels
