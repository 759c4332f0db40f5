"""The manifest: every data set as one folder of four small tables, yours too.

``images.csv`` says which images there are, ``boxes.csv`` and ``masks.csv`` where the objects are,
``classes.csv`` what they are called, and ``manifest.json`` what the folder is.

Where one image shows several things, ``boxes.csv`` may say the label and the instance of each box.
``masks.csv`` may name a PNG of part codes, e.g. of the part of an object that decides its class; the
entry ``parts`` of ``manifest.json`` names the codes: ``{"1": "deciding", "2": "shared"}``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from wsol.data.manifest.manifest_info import (
    images_root,
    part_names_of,
    queries_of,
    read_info,
    tables_hash,
)
from wsol.data.manifest.manifest_reading import Tables, read_tables
from wsol.errors import UserError, suggest
from wsol.scores.samples import Annotation


@dataclass(frozen=True)
class Manifest:
    """A data set that was read and checked.

    Attributes:
        name: the data set's registered name, e.g. ``cub``; ``title`` what people call it.
        version: as its makers number it.
        folder: where the manifest lies; ``root`` where its images lie.
        splits: number of images of each split.
        hash: SHA-256 of the tables; neither the root nor the pixels count.
        exif: pictures are to be turned as their EXIF tag says.
        info: all of manifest.json: counts, expected counts, subset, notes, val_fold.
        tables: the four tables as columns.
        part_names: what the codes of parts, from 1 to 255, are called; empty without parts.
        queries: images are scored by queries: `wsol.data.manifest.queries` makes them of a split.
    """

    name: str
    title: str
    version: str
    folder: Path
    root: Path
    splits: dict[str, int]
    hash: str
    exif: bool
    info: dict[str, Any]
    tables: Tables
    part_names: dict[int, str]
    queries: bool = False

    @classmethod
    def read(cls, folder: Path | str) -> Manifest:
        """Read ``folder``. ``UserError`` where it is no manifest, or lists all that is wrong with it."""
        folder = Path(folder)
        while True:
            info = read_info(folder)
            try:
                return cls._read(folder, info)
            except UserError:
                # Prepared anew meanwhile: what was read is part old, part new, and is read again.
                if read_info(folder) == info:
                    raise

    @classmethod
    def _read(cls, folder: Path, info: dict[str, Any]) -> Manifest:
        part_names = part_names_of(folder, info)
        queries = queries_of(folder, info)
        tables = read_tables(folder, part_names, queries=queries)
        exif = bool(info.get("exif", False))
        found = tables_hash(
            folder, exif=exif, part_names=part_names, drawn=info.get("drawn"), queries=queries
        )
        if info.get("hash", found) != found:
            raise UserError(
                f"{folder}: the tables are not those that manifest.json was written for (its hash "
                'differs); run `wsol prepare` again, or delete the "hash" entry if you edited them'
            )
        names, counts = np.unique(tables.splits, return_counts=True)
        return cls(
            name=str(info.get("dataset", folder.name)),
            title=str(info.get("title", info.get("dataset", folder.name))),
            version=str(info.get("version", "")),
            folder=folder,
            root=images_root(folder, info),
            splits={str(name): int(count) for name, count in zip(names, counts, strict=True)},
            hash=found,
            exif=exif,
            info=info,
            tables=tables,
            part_names=part_names,
            queries=queries,
        )

    @property
    def drawn(self) -> dict[str, Any]:
        """What a generator drew the images by; empty where none did."""
        return self.info.get("drawn", {})

    @property
    def mask_root(self) -> Path:
        """Where masks lie: with the images, or in the manifest where it had to draw them."""
        return self.folder.resolve() if self.info.get("mask_root") == "." else self.root

    @property
    def class_keys(self) -> list[str]:
        """Key of each label (wnid, folder name): what classes are matched by."""
        return self.tables.class_keys

    @property
    def classes(self) -> list[str]:
        """Name of each label, for people."""
        return self.tables.class_names

    def split(self, name: str) -> ManifestSplit:
        """One split, in the order of images.csv; ``UserError`` where there is none of that name."""
        if name not in self.splits:
            raise UserError(f"{self.folder}: no split {name!r}{suggest(name, self.splits)}")
        rows = np.flatnonzero(np.array(self.tables.splits) == name)
        return ManifestSplit(self, name, rows)

    @cached_property
    def box_index(self) -> dict[int, list[int]]:
        """Rows of boxes.csv by row of images.csv."""
        index: dict[int, list[int]] = defaultdict(list)
        for position, row in enumerate(self.tables.box_rows.tolist()):
            index[row].append(position)
        return index

    @cached_property
    def mask_index(self) -> dict[int, list[tuple[str, str]]]:
        """Pairs (mask, ignore) by row of images.csv."""
        index: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for row, mask, ignore in self.tables.masks:
            index[row].append((mask, ignore))
        return index


@dataclass(frozen=True)
class ManifestSplit:
    """Some images of a manifest: ``rows`` (n,) are their rows in its images table."""

    manifest: Manifest
    name: str
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def image_ids(self) -> list[str]:
        """(n,) ids, unique in the manifest."""
        return [self.manifest.tables.image_ids[row] for row in self.rows]

    @cached_property
    def paths(self) -> list[str]:
        """(n,) absolute paths of the image files."""
        root = self.manifest.root.as_posix()
        return [f"{root}/{self.manifest.tables.paths[row]}" for row in self.rows]

    @property
    def labels(self) -> np.ndarray:
        """(n,) int64 labels, -1 where the source has none."""
        return self.manifest.tables.labels[self.rows]

    @property
    def sizes(self) -> np.ndarray:
        """(n, 2) int32 height and width of the original images, 0 where not known."""
        return self.manifest.tables.sizes[self.rows]

    @property
    def class_keys(self) -> list[str]:
        """Key of each label of the manifest."""
        return self.manifest.class_keys

    @property
    def classes(self) -> list[str]:
        """Name of each label of the manifest."""
        return self.manifest.classes

    @cached_property
    def annotated(self) -> bool:
        """Whether any image of the split has a box or a mask: without, nothing can be localized."""
        manifest = self.manifest
        return any(row in manifest.box_index or row in manifest.mask_index for row in self.rows.tolist())

    def annotations(self) -> dict[str, Annotation]:
        """The ground truth by image id, in the split's order; images without boxes and masks too."""
        return {self._id(row): self._annotation(row) for row in self.rows.tolist()}

    def where(self, kept: np.ndarray) -> ManifestSplit:
        """The images that ``kept`` (n,) bool is true for, in the split's order."""
        return ManifestSplit(self.manifest, self.name, self.rows[kept])

    def only(self, image_ids: Collection[str]) -> ManifestSplit:
        """Those of its images that ``image_ids`` names, in the split's order."""
        return self.where(np.array([image_id in image_ids for image_id in self.image_ids], bool))

    def first_per_class(self, count: int) -> ManifestSplit:
        """The first ``count`` images of each class, in the split's order; 0 keeps all."""
        if count <= 0:
            return self
        seen: dict[int, int] = defaultdict(int)
        kept = []
        for label in self.labels.tolist():
            seen[label] += 1
            kept.append(seen[label] <= count)
        return self.where(np.array(kept, bool))

    def _id(self, row: int) -> str:
        return self.manifest.tables.image_ids[row]

    def _annotation(self, row: int) -> Annotation:
        manifest, tables = self.manifest, self.manifest.tables
        boxes = manifest.box_index.get(row, [])
        masks = manifest.mask_index.get(row, [])
        labels, instances = tables.box_labels, tables.box_instances
        root, parts = manifest.mask_root.as_posix(), tables.parts.get(row)
        return Annotation(
            image_id=self._id(row),
            label=int(tables.labels[row]),
            size=(int(tables.sizes[row, 0]), int(tables.sizes[row, 1])),
            boxes=tables.boxes[boxes],
            source_boxes=tables.source_boxes[boxes],
            masks=tuple(f"{root}/{mask}" for mask, _ in masks if mask),
            # Instances of one image share their ignore mask (OpenImages): once is enough.
            ignore=tuple(dict.fromkeys(f"{root}/{ignore}" for _, ignore in masks if ignore)),
            box_labels=None if labels is None else labels[boxes],
            box_instances=None if instances is None else instances[boxes],
            parts=f"{root}/{parts}" if parts else "",
            part_names=manifest.part_names if parts else {},
        )
