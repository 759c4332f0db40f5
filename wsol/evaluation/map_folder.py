"""Score maps that any framework left in a folder, one file an image."""

from __future__ import annotations

import csv
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from wsol.errors import UserError
from wsol.records import Annotation, Prediction

SUFFIXES = (".npy", ".npz")
PREDICTIONS = "predictions.csv"
TOP = 5


class MapFolder:
    """``FOLDER/<image_id>.npy`` or ``.npz``, and an optional ``FOLDER/predictions.csv``.

    Maps are (height, width) of any size, floats of any width or integers; an ``.npz`` holds one
    array. The table has the columns ``image_id, top1`` and as many of ``top2`` to ``top5`` as there are:
    labels of the manifest, or class keys where ``classes`` ({key: label}) is given.

    ``UserError`` where the folder or an image's map is missing, an image has two files, or the table
    names an unknown class or leaves an image out; all of them before the first map is read.
    """

    def __init__(
        self,
        folder: Path | str,
        annotations: Mapping[str, Annotation] | Sequence[Annotation],
        classes: Mapping[str, int] | None = None,
        predictions: Path | str | None = None,
    ) -> None:
        self.folder = Path(folder)
        listed = annotations.values() if isinstance(annotations, Mapping) else annotations
        self.annotations = list(listed)
        self._files = self._listed()
        table = self.folder / PREDICTIONS if predictions is None else Path(predictions)
        self._top5: dict[str, tuple[int, ...]] | None = None
        if predictions is not None or table.is_file():
            self._top5 = read_classes(table, classes)
        self._check(table)

    @property
    def counts(self) -> dict[str, int]:
        """How many maps are of images outside the split: a folder may hold several splits."""
        extra = len(self._files) - len(self.annotations)
        return {"maps_without_image": extra} if extra else {}

    def __len__(self) -> int:
        return len(self.annotations)

    def __iter__(self) -> Iterator[Prediction]:
        """One prediction an annotation, in their order, read as asked for."""
        for annotation in self.annotations:
            image_id = annotation.image_id
            top5 = self._top5[image_id] if self._top5 is not None else ()
            score_map = read_map(self.folder / self._files[image_id])
            yield Prediction(image_id, annotation.label, top5, score_map)

    def _listed(self) -> dict[str, str]:
        if not self.folder.is_dir():
            raise UserError(f"{self.folder}: no such folder of score maps")
        files: dict[str, str] = {}
        twice = []
        for folder, _, names in os.walk(self.folder):
            below = Path(folder).relative_to(self.folder).as_posix()
            for name in sorted(names):
                if not name.endswith(SUFFIXES):
                    continue
                path = name if below == "." else f"{below}/{name}"
                image_id = path[: -len(".npy")]
                if image_id in files:
                    twice.append(f"{self.folder / path}: {files[image_id]} is there too; keep one")
                files[image_id] = path
        if twice:
            raise UserError.of(twice)
        return files

    def _check(self, table: Path) -> None:
        ids = [annotation.image_id for annotation in self.annotations]
        findings = _missing(ids, self._files, f"{self.folder}: no score map (IMAGE_ID.npy or .npz)")
        if self._top5 is not None:
            findings += _missing(ids, self._top5, f"{table}: no row")
        if findings:
            raise UserError.of(findings)


def read_map(path: Path) -> np.ndarray:
    """The array of a ``.npy`` file, or the only one of a ``.npz``; ``UserError`` names another file."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded as file:
            if len(file.files) == 1:
                return file[file.files[0]]
            raise UserError(f"{path}: holds {len(file.files)} arrays; save the score map alone")
    except UserError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not a score map saved by NumPy ({error})") from error


def read_classes(path: Path, classes: Mapping[str, int] | None = None) -> dict[str, tuple[int, ...]]:
    """``image_id, top1 .. top5`` as {image_id: labels, best first}.

    A cell is a label, or a key of ``classes``; a class that ``classes`` lacks is a ``UserError`` with
    its line, since it would count as wrong in silence. Empty cells at a row's end mean fewer classes.
    """
    found: dict[str, tuple[int, ...]] = {}
    findings: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, skipinitialspace=True)
            header = [cell.strip() for cell in next(rows, [])]
            width = len(header) - 1
            if not 1 <= width <= TOP or header != ["image_id", *(f"top{k + 1}" for k in range(width))]:
                raise UserError(f"{path} line 1: the columns are not image_id, top1, ... top5")
            for row in rows:
                where = f"{path} line {rows.line_num}"
                if not row:
                    continue
                image_id = row[0].strip()
                if len(row) != len(header):
                    findings.append(f"{where}: {len(row)} cells where there are {len(header)} columns")
                elif image_id in found:
                    findings.append(f"{where}: {image_id!r} is there already")
                else:
                    found[image_id] = _labels(row[1:], classes, where, findings)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a UTF-8 CSV table ({error})") from error
    if findings:
        raise UserError.of(findings)
    return found


def _labels(
    cells: Sequence[str], classes: Mapping[str, int] | None, where: str, findings: list[str]
) -> tuple[int, ...]:
    labels = []
    for cell in (cell.strip() for cell in cells):
        if not cell:
            continue
        if classes is not None and cell in classes:
            labels.append(classes[cell])
        elif cell.isdecimal() and (classes is None or int(cell) in classes.values()):
            labels.append(int(cell))
        else:
            findings.append(f"{where}: unknown class {cell!r}")
    if not labels:
        findings.append(f"{where}: no class")
    return tuple(labels)


def _missing(ids: Sequence[str], there: Mapping[str, object], what: str) -> list[str]:
    missing = [image_id for image_id in ids if image_id not in there]
    if not missing:
        return []
    return [f"{what} for {len(missing)} of {len(ids)} images, e.g. {', '.join(missing[:3])}"]
