"""One's own images by what is known of them: a class that the model has, another or none, no object."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.evaluation.masks import read_mask
from wsol.scores.samples import Annotation

UNKNOWN_CLASS, WITHOUT_OBJECT = "unknown_class", "without_object"


@dataclass(frozen=True)
class ImageGroups:
    """The images of a split, in three groups none of which changes how another is scored.

    Attributes:
        known: the manifest whose split holds the images of classes that the model has; it has no other
            class.
        unknown: the manifest whose split `UNKNOWN_CLASS` holds those of other classes, or of none.
        n_known, n_unlabelled: how many images are known, how many of the unknown have no class at all.
        foreign: images by unknown class.
        without_object: the ids of images without object, which are scored nowhere.
    """

    known: Manifest
    unknown: Manifest
    n_known: int
    n_unlabelled: int
    foreign: dict[str, int]
    without_object: list[str]

    @property
    def n_unknown(self) -> int:
        """How many images are of a class that the model does not have, or of none."""
        return self.n_unlabelled + sum(self.foreign.values())


def group_images(
    split: ManifestSplit, unknown: list[str], *, without_object_counts: bool = False
) -> ImageGroups:
    """Group the images of ``split``, some of whose classes, ``unknown``, the model does not have.

    ``without_object_counts``: images without object are false alarms by the protocol's own rule, and
    stay where their class is known; of a single class they all are.
    """
    manifest, labels = split.manifest, split.labels.copy()
    empty = np.array([not _shows_object(one) for one in split.annotations().values()], bool)
    if without_object_counts and len(split.class_keys) == 1:
        labels[empty & (labels < 0)] = 0
    has_class = np.isin(labels, [n for n, key in enumerate(split.class_keys) if key not in unknown])
    apart = empty & ~(has_class & without_object_counts)
    names = np.where(has_class, split.name, UNKNOWN_CLASS).astype(object)
    names[apart] = WITHOUT_OBJECT
    scored = labels[~has_class & ~apart].tolist()
    counts = Counter(split.class_keys[label] for label in scored if label >= 0)
    placed = _placed(manifest, split.rows, names.tolist(), labels)
    return ImageGroups(
        known=_only_classes(placed, [key for key in split.class_keys if key not in unknown]),
        unknown=placed,
        n_known=int((has_class & ~apart).sum()),
        n_unlabelled=sum(label < 0 for label in scored),
        foreign=dict(counts.most_common()),
        without_object=[split.image_ids[place] for place in np.flatnonzero(apart)],
    )


def _shows_object(annotation: Annotation) -> bool:
    return len(annotation.boxes) > 0 or any(read_mask(mask).any() for mask in annotation.masks)


def _placed(manifest: Manifest, rows: np.ndarray, names: list[str], labels: np.ndarray) -> Manifest:
    """The manifest, these rows in splits of these names."""
    splits, all_labels = list(manifest.tables.splits), manifest.tables.labels.copy()
    for row, name in zip(rows.tolist(), names, strict=True):
        splits[row] = name
    all_labels[rows] = labels
    tables = replace(manifest.tables, splits=splits, labels=all_labels)
    return replace(manifest, tables=tables, splits=dict(Counter(splits)))


def _only_classes(manifest: Manifest, keys: list[str]) -> Manifest:
    """The manifest with these of its classes, images of others having none."""
    tables = manifest.tables
    names = dict(zip(tables.class_keys, tables.class_names, strict=True))
    number = {key: label for label, key in enumerate(keys)}
    # The last is what label -1, no class, becomes.
    renumbered = np.array([*(number.get(key, -1) for key in tables.class_keys), -1], np.int64)
    tables = replace(
        tables,
        labels=renumbered[tables.labels],
        class_keys=keys,
        class_names=[names[key] for key in keys],
    )
    return replace(manifest, tables=tables)
