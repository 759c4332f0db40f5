"""Reading and checking the tables of a manifest: all findings of one pass, with file and line."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsol.data.manifest.validation import bad_box, bad_name, bad_numbers
from wsol.errors import UserError
from wsol.files.text_tables import whole_number

COLUMNS = {
    "images.csv": ("image_id", "path", "label", "width", "height", "split"),
    "boxes.csv": (
        *("image_id", "x0", "y0", "x1", "y1"),
        *("source_x0", "source_y0", "source_x1", "source_y1"),
    ),
    "masks.csv": ("image_id", "mask", "ignore"),
    "classes.csv": ("label", "name", "key"),
}


@dataclass(frozen=True)
class Tables:
    """The four tables as columns.

    ``labels`` (n,) int64, -1 where there is none; ``sizes`` (n, 2) int32 height and width, 0 where
    not known; ``boxes`` and ``source_boxes`` (m, 4) float32, ``box_rows`` (m,) the row of each box's
    image, rising as in the file; ``masks`` (row, mask, ignore).
    """

    image_ids: list[str]
    paths: list[str]
    labels: np.ndarray
    sizes: np.ndarray
    splits: list[str]
    box_rows: np.ndarray
    boxes: np.ndarray
    source_boxes: np.ndarray
    masks: list[tuple[int, str, str]]
    class_names: list[str]
    class_keys: list[str]


def read_tables(folder: Path) -> Tables:
    """Read and check the tables in ``folder``; ``UserError`` lists all that is wrong."""
    findings: list[str] = []
    names, keys = _read_classes(folder, findings)
    images = _read_images(folder, len(names), findings)
    rows = {image_id: row for row, image_id in enumerate(images.image_ids)}
    boxes = _read_boxes(folder, rows, images.sizes, findings)
    masks = _read_masks(folder, rows, images.sizes, findings)
    if findings:
        raise UserError.of([f"{folder}/{finding}" for finding in findings])
    numbers = np.array([box[1] for box in boxes], np.float32).reshape(-1, 8)
    return Tables(
        image_ids=images.image_ids,
        paths=images.paths,
        labels=np.array(images.labels, np.int64),
        sizes=np.array(images.sizes, np.int32).reshape(-1, 2),
        splits=images.splits,
        box_rows=np.array([box[0] for box in boxes], np.int64),
        boxes=numbers[:, :4].copy(),
        source_boxes=numbers[:, 4:].copy(),
        masks=masks,
        class_names=names,
        class_keys=keys,
    )


def read_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row of a CSV file whose header must be ``columns``.

    A byte order mark, CRLF and blanks around cells are taken as they come. ``UserError`` where the
    file is missing, no UTF-8, has another header or a row of another length.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = tuple(cell.strip() for cell in next(reader, []))
            if header != columns:
                raise UserError(f"{path} line 1: the columns must be {','.join(columns)}")
            for cells in reader:
                if len(cells) != len(columns):
                    if not cells:
                        continue
                    raise UserError(
                        f"{path} line {reader.line_num}: {len(cells)} cells where there are "
                        f"{len(columns)} columns"
                    )
                yield reader.line_num, [cell.strip() for cell in cells]
    except FileNotFoundError:
        raise UserError(f"{path}: no such table; run `wsol prepare` again") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a UTF-8 CSV table ({error})") from error


@dataclass
class _Images:
    image_ids: list[str]
    paths: list[str]
    labels: list[int]
    sizes: list[tuple[int, int]]
    splits: list[str]


def _read_classes(folder: Path, findings: list[str]) -> tuple[list[str], list[str]]:
    names: list[str] = []
    lines: dict[str, int] = {}
    for line, (label, name, key) in read_rows(folder / "classes.csv", COLUMNS["classes.csv"]):
        if label != str(len(names)):
            findings.append(f"classes.csv line {line}: label {label!r} should be {len(names)}")
        if not key:
            findings.append(f"classes.csv line {line}: the class has no key")
        elif key in lines:
            findings.append(f"classes.csv line {line}: key {key!r} is already in line {lines[key]}")
        lines.setdefault(key, line)
        names.append(name)
    return names, list(lines)


def _read_images(folder: Path, n_classes: int, findings: list[str]) -> _Images:
    images = _Images([], [], [], [], [])
    id_lines: dict[str, int] = {}
    path_splits: dict[str, str] = {}
    for line, cells in read_rows(folder / "images.csv", COLUMNS["images.csv"]):
        image_id, path, label, width, height, split = cells
        problems = [bad_name(image_id, "image_id"), bad_name(path, "path")]
        if image_id in id_lines:
            problems.append(f"image_id {image_id!r} is already in line {id_lines[image_id]}")
        if not split:
            problems.append("no split")
        elif path_splits.setdefault(path, split) != split:
            problems.append(f"{path} is in split {path_splits[path]!r} and in {split!r}")
        number, size = whole_number(label), (whole_number(height), whole_number(width))
        if label and (number is None or number >= n_classes):
            problems.append(f"label {label[:40]!r} has no class in classes.csv")
        known = bool(width or height)
        if known and not (size[0] and size[1]):
            problems.append(f"size {width[:40]!r} x {height[:40]!r} is not a size in pixels")
        findings.extend(f"images.csv line {line}: {problem}" for problem in problems if problem)
        id_lines.setdefault(image_id, line)
        images.image_ids.append(image_id)
        images.paths.append(path)
        images.labels.append(-1 if number is None else number)
        images.sizes.append((size[0] or 0, size[1] or 0))
        images.splits.append(sys.intern(split))  # a million rows share three words
    if not images.image_ids:
        findings.append("images.csv: no image")
    return images


def _read_boxes(
    folder: Path, rows: dict[str, int], sizes: list[tuple[int, int]], findings: list[str]
) -> list[tuple[int, list[float]]]:
    boxes: list[tuple[int, list[float]]] = []
    for line, (image_id, *cells) in read_rows(folder / "boxes.csv", COLUMNS["boxes.csv"]):
        where = f"boxes.csv line {line}"
        row = _annotated_row(image_id, where, rows, sizes, findings)
        try:
            numbers = [float(cell) for cell in cells]
        except ValueError:
            findings.append(f"{where}: {','.join(cells)} are not eight numbers")
            continue
        height, width = sizes[row] if row is not None else (0, 0)
        problem = bad_box(numbers[:4], height, width) or bad_numbers(numbers[4:])
        if problem:
            findings.append(f"{where}: {problem}")
        elif row is not None:
            boxes.append((row, numbers))
    return boxes


def _read_masks(
    folder: Path, rows: dict[str, int], sizes: list[tuple[int, int]], findings: list[str]
) -> list[tuple[int, str, str]]:
    masks: list[tuple[int, str, str]] = []
    for line, (image_id, mask, ignore) in read_rows(folder / "masks.csv", COLUMNS["masks.csv"]):
        where = f"masks.csv line {line}"
        row = _annotated_row(image_id, where, rows, sizes, findings)
        if not mask and not ignore:
            findings.append(f"{where}: neither mask nor ignore mask")
        problems = [
            bad_name(name, column) for name, column in ((mask, "mask"), (ignore, "ignore")) if name
        ]
        findings.extend(f"{where}: {problem}" for problem in problems if problem)
        if row is not None:
            masks.append((row, mask, ignore))
    return masks


def _annotated_row(
    image_id: str,
    where: str,
    rows: dict[str, int],
    sizes: list[tuple[int, int]],
    findings: list[str],
) -> int | None:
    row = rows.get(image_id)
    if row is None:
        findings.append(f"{where}: image {image_id!r} is not in images.csv")
    elif not all(sizes[row]):
        findings.append(f"{where}: image {image_id!r} has no size in images.csv")
    return row
