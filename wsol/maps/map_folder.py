"""Score maps that any framework left in a folder, one file an image."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from wsol.errors import UserError
from wsol.files.numpy_file import Limit, read_arrays
from wsol.files.pictures.images import MAX_PIXELS
from wsol.files.reading import refuse_no_file
from wsol.maps.class_table import read_classes
from wsol.maps.map_files import SUFFIXES, MapFiles, other_kinds
from wsol.scores.samples import Annotation, Prediction

T = TypeVar("T")

PREDICTIONS = "predictions.csv"
# As many values as an image has pixels, in float64.
LARGEST = Limit(MAX_PIXELS, 8 * MAX_PIXELS)


class MapFolder:
    """``FOLDER/<image_id>.npy`` or ``.npz``, and an optional ``FOLDER/predictions.csv``.

    `MapFiles` says which other names are read; ``unmatched`` are files of no image. Maps are (height,
    width) of any size, floats of any width or integers; an ``.npz`` holds one array. The table has the
    columns ``image_id, top1`` and as many of ``top2`` to ``top5`` as there are, see `read_classes`:
    labels of the manifest, or class keys where ``classes`` ({key: label}) is given. What is there of an
    image, a map or a row, is of all its queries that have none of their own.

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
        files = self._listed()
        self._files, self.unmatched = files.of, files.unmatched
        table = self.folder / PREDICTIONS if predictions is None else Path(predictions)
        self._top5: dict[str, tuple[int, ...]] | None = None
        if predictions is not None or table.is_file():
            self._top5 = self._shared(read_classes(table, classes))
        self._check(table)

    @property
    def counts(self) -> dict[str, int]:
        """How many maps are of images outside the split: a folder may hold several splits."""
        return {"maps_without_image": len(self.unmatched)} if self.unmatched else {}

    def __len__(self) -> int:
        return len(self.annotations)

    def __iter__(self) -> Iterator[Prediction]:
        """One prediction an annotation, in their order, read as asked for."""
        for annotation in self.annotations:
            image_id = annotation.image_id
            top5 = self._top5[image_id] if self._top5 is not None else ()
            score_map = read_map(self.folder / self._files[image_id])
            yield Prediction(image_id, annotation.label, top5, score_map)

    def _listed(self) -> MapFiles:
        if not self.folder.is_dir():
            raise UserError(f"{self.folder}: no such folder of score maps")
        paths = []
        for folder, _, names in os.walk(self.folder):
            below = Path(folder).relative_to(self.folder).as_posix()
            paths += [name if below == "." else f"{below}/{name}" for name in sorted(names)]
        ids = [annotation.image_id for annotation in self.annotations]
        files = MapFiles([path for path in paths if path.endswith(SUFFIXES)], ids)
        if images := {annotation.group for annotation in self.annotations} - {""}:
            of_images = MapFiles(files.unmatched, sorted(images))
            files.of = self._shared(of_images.of | files.of)
            files.unmatched, files.findings = of_images.unmatched, files.findings + of_images.findings
        findings = _missing(ids, files.of, f"{self.folder}: no score map (IMAGE_ID.npy or .npz)")
        if findings:
            findings += [f"{self.folder}: {kind}" for kind in other_kinds(paths)]
        if findings and files.unmatched:
            findings.append(
                f"{self.folder}: {len(files.unmatched)} files are called like no image of this split, "
                f"e.g. {', '.join(files.unmatched[:3])}: maps of another split may lie there, and one "
                "file holds the map of one image"
            )
        if findings := [f"{self.folder}/{finding}" for finding in files.findings] + findings:
            raise UserError.of(findings)
        return files

    def _shared(self, found: dict[str, T]) -> dict[str, T]:
        """What was found by id, with that of an image for its queries that have none."""
        images = {annotation.image_id: annotation.group for annotation in self.annotations}
        return {own: found[image] for own, image in images.items() if image in found} | found

    def _check(self, table: Path) -> None:
        ids = [annotation.image_id for annotation in self.annotations]
        if self._top5 is not None and (findings := _missing(ids, self._top5, f"{table}: no row")):
            raise UserError.of(findings)


def read_map(path: Path) -> np.ndarray:
    """The map (h, w) of a ``.npy`` file, or the only one of a ``.npz``.

    ``UserError`` names another file. Of (1, h, w) and (h, w, 1) the single channel is taken.
    """
    refuse_no_file(path)
    try:
        arrays = read_arrays(path, LARGEST)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a score map saved by NumPy ({error})") from error
    if len(arrays) == 1:
        return _single_channel(arrays[0][1], path)
    raise UserError(f"{path}: does not hold one array; save the score map alone")


def _single_channel(array: np.ndarray, path: Path) -> np.ndarray:
    shape = list(array.shape)
    while len(shape) > 2 and shape[0] == 1:
        del shape[0]
    while len(shape) > 2 and shape[-1] == 1:
        del shape[-1]
    if len(shape) > 2:
        raise UserError(
            f"{path}: an array of {' x '.join(map(str, array.shape))}; a score map is height x width: "
            "save the channel of the image's class alone"
        )
    return array.reshape(shape)


def _missing(ids: Sequence[str], there: Mapping[str, object], what: str) -> list[str]:
    missing = [image_id for image_id in ids if image_id not in there]
    if not missing:
        return []
    return [f"{what} for {len(missing)} of {len(ids)} images, e.g. {', '.join(missing[:3])}"]
