"""Reading and checking the tables of a manifest: all findings of one pass, with file and line."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from wsol.data.manifest.table_files import read_rows
from wsol.data.manifest.validation import bad_box, bad_name, bad_numbers, bad_size, missing_label
from wsol.errors import UserError
from wsol.files.text_tables import whole_number


@dataclass(frozen=True)
class Tables:
    """The four tables as columns.

    ``labels`` (n,) int64, -1 where there is none; ``sizes`` (n, 2) int32 height and width, 0 where
    not known; ``boxes`` and ``source_boxes`` (m, 4) float32, ``box_rows`` (m,) the row of each box's
    image, in the order of the file; ``box_labels`` and ``box_instances`` (m,) int64, -1 where the table
    does not say them and None where it says them of no box; ``masks`` (row, mask, ignore); ``parts`` the
    PNG of part codes by row.
    """

    image_ids: list[str]
    paths: list[str]
    labels: np.ndarray
    sizes: np.ndarray
    splits: list[str]
    box_rows: np.ndarray
    boxes: np.ndarray
    source_boxes: np.ndarray
    box_labels: np.ndarray | None
    box_instances: np.ndarray | None
    masks: list[tuple[int, str, str]]
    parts: dict[int, str]
    class_names: list[str]
    class_keys: list[str]


def read_tables(folder: Path, part_codes: Collection[int] = (), *, queries: bool = False) -> Tables:
    """Read and check the tables in ``folder``; ``UserError`` lists all that is wrong.

    ``part_codes`` are the codes of parts that manifest.json names; ``queries`` is what it says of them.
    """
    findings: list[str] = []
    names, keys = _read_classes(folder, findings)
    images = _read_images(folder, len(names), findings)
    by_id = {image_id: row for row, image_id in enumerate(images.image_ids)}
    rows = _ImageRows(by_id, images.sizes, [missing_label(s, queries=queries) for s in images.splits])
    boxes = _read_boxes(folder, rows, len(names), findings)
    masks, parts = _read_masks(folder, rows, findings)
    if parts and not part_codes:
        findings.append('manifest.json: "parts" must name the codes of the parts in masks.csv')
    if findings:
        raise UserError.of([f"{folder}/{finding}" for finding in findings])
    numbers = np.array([box.numbers for box in boxes], np.float32).reshape(-1, 8)
    return Tables(
        image_ids=images.image_ids,
        paths=images.paths,
        labels=np.array(images.labels, np.int64),
        sizes=np.array(images.sizes, np.int32).reshape(-1, 2),
        splits=images.splits,
        box_rows=np.array([box.row for box in boxes], np.int64),
        boxes=numbers[:, :4].copy(),
        source_boxes=numbers[:, 4:].copy(),
        box_labels=_said([box.label for box in boxes]),
        box_instances=_said([box.instance for box in boxes]),
        masks=masks,
        parts=parts,
        class_names=names,
        class_keys=keys,
    )


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
    for line, (label, name, key) in read_rows(folder / "classes.csv"):
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
    for line, cells in read_rows(folder / "images.csv"):
        image_id, path, label, width, height, split = cells
        problems = [bad_name(image_id, "image_id"), bad_name(path, "path")]
        if image_id in id_lines:
            problems.append(f"image_id {image_id!r} is already in line {id_lines[image_id]}")
        if not split:
            problems.append("no split")
        elif path_splits.setdefault(path, split) != split:
            problems.append(f"{path} is in split {path_splits[path]!r} and in {split!r}")
        number, size = whole_number(label), (whole_number(height) or 0, whole_number(width) or 0)
        if label and (number is None or number >= n_classes):
            problems.append(f"label {label[:40]!r} has no class in classes.csv")
        known = bool(width or height)
        if known and not all(size):
            problems.append(f"size {width[:40]!r} x {height[:40]!r} is not a size in pixels")
        problems.append(bad_size(*size))
        findings.extend(f"images.csv line {line}: {problem}" for problem in problems if problem)
        id_lines.setdefault(image_id, line)
        images.image_ids.append(image_id)
        images.paths.append(path)
        images.labels.append(-1 if number is None else number)
        images.sizes.append(size)
        images.splits.append(sys.intern(split))  # a million rows share three words
    if not images.image_ids:
        findings.append("images.csv: no image")
    return images


class _Box(NamedTuple):
    """One row of boxes.csv; ``label`` and ``instance`` are -1 where it does not say them."""

    row: int
    numbers: list[float]
    label: int
    instance: int


@dataclass(frozen=True)
class _ImageRows:
    """The row of each image by its id; by row its (height, width), and what is wrong with a box of it
    that has no label.
    """

    by_id: dict[str, int]
    sizes: list[tuple[int, int]]
    unlabelled: list[str]

    def annotated(self, image_id: str, where: str, findings: list[str]) -> int | None:
        """The row of an image that a box or a mask belongs to; None and a finding where it has none."""
        row = self.by_id.get(image_id)
        if row is None:
            findings.append(f"{where}: image {image_id!r} is not in images.csv")
        elif not all(self.sizes[row]):
            findings.append(f"{where}: image {image_id!r} has no size in images.csv")
        return row


def _read_boxes(folder: Path, rows: _ImageRows, n_classes: int, findings: list[str]) -> list[_Box]:
    boxes: list[_Box] = []
    instances: dict[tuple[int, int], int] = {}
    for line, (image_id, *cells, label, instance) in read_rows(folder / "boxes.csv"):
        where = f"boxes.csv line {line}"
        row = rows.annotated(image_id, where, findings)
        try:
            numbers = [float(cell) for cell in cells]
        except ValueError:
            findings.append(f"{where}: {','.join(cells)} are not eight numbers")
            continue
        height, width = rows.sizes[row] if row is not None else (0, 0)
        problems = [bad_box(numbers[:4], height, width) or bad_numbers(numbers[4:])]
        box = _Box(-1 if row is None else row, numbers, _whole(label), _whole(instance))
        if label and not 0 <= box.label < n_classes:
            problems.append(f"label {label[:40]!r} has no class in classes.csv")
        if row is not None and not label:
            problems.append(rows.unlabelled[row])
        if instance and box.instance < 0:
            problems.append(f"instance {instance[:40]!r} is not a number of up to six digits")
        if row is not None and box.instance >= 0:
            first = instances.setdefault((row, box.instance), line)
            if first != line:
                problems.append(f"instance {instance} of image {image_id!r} is already in line {first}")
        problems = [problem for problem in problems if problem]
        findings.extend(f"{where}: {problem}" for problem in problems)
        if row is not None and not problems:
            boxes.append(box)
    return boxes


def _read_masks(
    folder: Path, rows: _ImageRows, findings: list[str]
) -> tuple[list[tuple[int, str, str]], dict[int, str]]:
    """The pairs of masks, and the PNG of part codes by row of the image."""
    masks: list[tuple[int, str, str]] = []
    parts: dict[int, str] = {}
    lines: dict[int, int] = {}
    for line, (image_id, mask, ignore, codes) in read_rows(folder / "masks.csv"):
        where = f"masks.csv line {line}"
        row = rows.annotated(image_id, where, findings)
        if not (mask or ignore or codes):
            findings.append(f"{where}: neither mask nor ignore mask")
        names = ((mask, "mask"), (ignore, "ignore"), (codes, "parts"))
        problems = [bad_name(name, column) for name, column in names if name]
        findings.extend(f"{where}: {problem}" for problem in problems if problem)
        if row is None:
            continue
        if mask or ignore:
            masks.append((row, mask, ignore))
        if codes:
            if row in parts:
                findings.append(
                    f"{where}: the parts of image {image_id!r} are already in line {lines[row]}"
                )
            parts.setdefault(row, codes)
            lines.setdefault(row, line)
    return masks, parts


def _whole(text: str) -> int:
    number = whole_number(text)
    return -1 if number is None else number


def _said(numbers: list[int]) -> np.ndarray | None:
    """(m,) int64; None where no number is said, i.e. all are -1."""
    return np.array(numbers, np.int64) if any(number >= 0 for number in numbers) else None
