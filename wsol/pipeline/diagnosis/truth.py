"""What is true of each image that is scored: which of its pixels belong to what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wsol.data.layouts.digits import OF_OBJECT
from wsol.data.manifest.manifest import ManifestSplit
from wsol.files.pictures.images import open_codes


@dataclass(frozen=True)
class ImageTruth:
    """The truth of one image, or of one query of it.

    Attributes:
        image_id: of the image, or of the query.
        label: the class that is asked for; -1 where no object of a class stands in the image.
        path: of the image file.
        codes: (height, width) uint8, which part of the image each pixel is; 0 is the ground.
        names: the codes of the parts by what they are called.
        boxes: (n, 4) half-open pixels, of the objects that are asked for.
    """

    image_id: str
    label: int
    path: str
    codes: np.ndarray
    names: dict[str, int]
    boxes: np.ndarray

    def region(self, *names: str) -> np.ndarray:
        """(height, width) bool, the pixels of the parts of these names; those unknown have none."""
        return np.isin(self.codes, [self.names[name] for name in names if name in self.names])

    @property
    def object(self) -> np.ndarray:
        """(height, width) bool, what is asked for: labelled pixels within its boxes.

        No two things of an image overlap in their boxes.
        """
        return self.region(*LABELLED) & self.frames

    @property
    def things(self) -> np.ndarray:
        """(height, width) bool, everything that stands in the image, of whatever class or none."""
        return self.region(*LABELLED, "distractor")

    @property
    def frames(self) -> np.ndarray:
        """(height, width) bool, the insides of the boxes."""
        inside = np.zeros(self.codes.shape, bool)
        for x0, y0, x1, y1 in self.boxes.astype(int):
            inside[y0:y1, x0:x1] = True
        return inside


# What is of a class in some image; of its own, or as company.
LABELLED = (*OF_OBJECT, "companion")


def truths(split: ManifestSplit) -> Iterator[ImageTruth]:
    """The truth of each image of a split of digits, or of each query, in the split's order."""
    manifest = split.manifest
    names = {name: code for code, name in manifest.part_names.items()}
    annotations = split.annotations()
    rows = zip(split.image_ids, split.rows.tolist(), split.labels.tolist(), split.paths, strict=True)
    for image_id, row, label, path in rows:
        # Of a query's annotation no parts are told: they are read where the image's lie.
        codes = open_codes(f"{manifest.mask_root.as_posix()}/{manifest.tables.parts[row]}")
        yield ImageTruth(image_id, label, path, codes, names, annotations[image_id].boxes)
