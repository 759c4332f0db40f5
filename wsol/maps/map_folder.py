"""Score maps that any framework left in a folder, one file an image."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from wsol.errors import UserError
from wsol.files.numpy_file import Limit, read_arrays
from wsol.files.pictures.images import MAX_PIXELS
from wsol.files.reading import refuse_no_file
from wsol.maps.class_table import read_classes
from wsol.scores.samples import Annotation, Prediction

SUFFIXES = (".npy", ".npz")
PREDICTIONS = "predictions.csv"
# As many values as an image has pixels, in float64.
LARGEST = Limit(MAX_PIXELS, 8 * MAX_PIXELS)


class MapFolder:
    """``FOLDER/<image_id>.npy`` or ``.npz``, and an optional ``FOLDER/predictions.csv``.

    Maps are (height, width) of any size, floats of any width or integers; an ``.npz`` holds one
    array. The table has the columns ``image_id, top1`` and as many of ``top2`` to ``top5`` as there are,
    see `read_classes`: labels of the manifest, or class keys where ``classes`` ({key: label}) is given.

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
    refuse_no_file(path)
    try:
        arrays = read_arrays(path, LARGEST)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a score map saved by NumPy ({error})") from error
    if len(arrays) == 1:
        return arrays[0][1]
    raise UserError(f"{path}: does not hold one array; save the score map alone")


def _missing(ids: Sequence[str], there: Mapping[str, object], what: str) -> list[str]:
    missing = [image_id for image_id in ids if image_id not in there]
    if not missing:
        return []
    return [f"{what} for {len(missing)} of {len(ids)} images, e.g. {', '.join(missing[:3])}"]
