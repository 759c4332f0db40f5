"""Scoring by queries: an image that shows several labelled classes is asked for each of them.

A query is a pair of an image and a class that its boxes show. Only the boxes of that class count in it.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.data.manifest.validation import TRAINED
from wsol.scores.samples import Annotation

# What a file's name may not hold on every system; and the sign between image and class, so that an id is
# of one query, and the sign of the spelling itself.
SPELLED = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f@%]')


def scored_split(manifest: Manifest, name: str) -> ManifestSplit:
    """A split as it is scored: its images, or their queries where the manifest says so.

    What is trained on is images. ``UserError`` where there is no split of that name.
    """
    split = manifest.split(name)
    return QuerySplit.of(split) if manifest.queries and name != TRAINED else split


def query_id(image_id: str, key: str) -> str:
    """What the query of an image for the class ``key`` is called: ``test/7@wren``.

    Maps, masks and pictures are files of that name, so signs that a file's name may not hold are spelled
    as in URLs: ``a/b`` as ``a%2Fb``. Two queries never have one id.
    """
    return f"{image_id}@{SPELLED.sub(lambda found: f'%{ord(found[0]):02X}', key)}"


@dataclass(frozen=True)
class QuerySplit(ManifestSplit):
    """The queries of a split's images, image by image, the classes of each in the order of their labels.

    ``rows`` (n,) are the rows of the queries' images: one occurs as often as its image shows classes.
    ``queried`` (n,) int64 are the classes that are asked for. An image without boxes has no query.
    """

    queried: np.ndarray

    @classmethod
    def of(cls, split: ManifestSplit) -> Self:
        """All queries of the images of ``split``."""
        rows, queried = [], []
        for row in split.rows.tolist():
            present = _present(split.manifest, row)
            rows += [row] * len(present)
            queried += present
        return cls(split.manifest, split.name, np.array(rows, np.int64), np.array(queried, np.int64))

    @cached_property
    def image_ids(self) -> list[str]:
        """(n,) ids of the queries (`query_id`), unique in the manifest."""
        images, keys = self.manifest.tables.image_ids, self.class_keys
        pairs = zip(self.rows.tolist(), self.queried.tolist(), strict=True)
        return [query_id(images[row], keys[label]) for row, label in pairs]

    @property
    def labels(self) -> np.ndarray:
        """(n,) int64 classes that are asked for."""
        return self.queried

    def annotations(self) -> dict[str, Annotation]:
        """The ground truth by the queries' ids, in the split's order; see `query_annotation`."""
        images = {row: self._annotation(row) for row in self.rows.tolist()}
        queries = zip(self.image_ids, self.rows.tolist(), self.queried.tolist(), strict=True)
        return {
            own_id: query_annotation(
                images[row], own_id, label, present=tuple(_present(self.manifest, row))
            )
            for own_id, row, label in queries
        }

    def where(self, kept: np.ndarray) -> Self:
        """The queries that ``kept`` (n,) bool is true for, in the split's order."""
        return type(self)(self.manifest, self.name, self.rows[kept], self.queried[kept])


def query_annotation(image: Annotation, own_id: str, label: int, present: tuple[int, ...]) -> Annotation:
    """What is true of the query ``own_id`` of an image: of its boxes those of the class ``label``.

    ``present`` are the classes that the image shows. A query has neither masks nor parts: those of an
    image are of its own label or of the image as a whole, so that beside the other queries they would
    make background of what is object there.
    """
    labels = image.box_labels
    of_class = np.zeros(len(image.boxes), bool) if labels is None else labels == label
    instances = image.box_instances
    return dataclasses.replace(
        image,
        image_id=own_id,
        label=label,
        boxes=image.boxes[of_class],
        source_boxes=image.source_boxes[of_class],
        box_labels=None if labels is None else labels[of_class],
        box_instances=None if instances is None else instances[of_class],
        masks=(),
        ignore=(),
        parts="",
        part_names={},
        group=image.image_id,
        present=present,
    )


def _present(manifest: Manifest, row: int) -> list[int]:
    """The labels of the classes that the boxes of an image show, each once, rising."""
    labels, boxes = manifest.tables.box_labels, manifest.box_index.get(row, [])
    return [] if labels is None else sorted({label for label in labels[boxes].tolist() if label >= 0})
