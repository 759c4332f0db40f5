"""A table that says which classes of a model, or of predictions, an annotated class stands for."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from wsol.errors import UserError
from wsol.files.csv_table import table_rows
from wsol.files.reading import refuse_no_file

# What the two columns may be called. Both must be, or the first line is a row: classes have any name.
ANNOTATED = {"class", "label", "category", "name", "annotation", "annotations", "annotated", "from"}
MEANT = {"model", "model class", "key", "wnid", "prediction", "predictions", "predicted", "to"}


def read_class_map(path: Path) -> dict[str, list[str]]:
    """The table as {annotated class: the classes it stands for}, both in the table's order.

    Two columns: the annotations' class, then the model's (its key, name or synonym). A class that stands
    for several has a row for each. A header (``class,model``) may be there; cells are separated by
    commas, semicolons or tabs, and a name with such a sign in it stands in quotes.

    Raises:
        UserError: no such file, no UTF-8 table, or each line that does not hold two names.
    """
    classes: dict[str, dict[str, None]] = {}
    findings = []
    for line, cells in _rows(path):
        if len(cells) != 2 or not all(cells):
            findings.append(
                f"{path} line {line}: {len(list(filter(None, cells)))} names where there should be two, "
                "CLASS,MODEL_CLASS; a class of several takes a line for each, a name with a comma quotes"
            )
        else:
            classes.setdefault(cells[0], {})[cells[1]] = None
    if findings:
        raise UserError.of(findings)
    if not classes:
        raise UserError(f"{path}: no classes in it; a line is CLASS,MODEL_CLASS, e.g. Horse,n02389026")
    return {name: list(meant) for name, meant in classes.items()}


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of each row that is not empty; the header is left out."""
    refuse_no_file(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = True
            delimiter = _delimiter(file.readline())
            file.seek(0)
            for line, row in table_rows(file, strict=True, delimiter=delimiter, skipinitialspace=True):
                cells = [cell.strip() for cell in row]
                while len(cells) > 2 and not cells[-1]:  # spreadsheets write columns that were emptied
                    cells.pop()
                if any(cells) and not (first and _is_header(cells)):
                    yield line, cells
                first = first and not any(cells)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a UTF-8 CSV table ({error})") from error


def _delimiter(line: str) -> str:
    """The sign between the cells: the first of tab, semicolon, comma that is there outside of quotes."""
    bare = "".join(line.split('"')[::2])
    return next((sign for sign in "\t;," if sign in bare), ",")


def _is_header(cells: list[str]) -> bool:
    names = [cell.casefold().replace("_", " ") for cell in cells]
    return len(names) == 2 and names[0] in ANNOTATED and names[1] in MEANT
