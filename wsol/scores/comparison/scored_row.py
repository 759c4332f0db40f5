"""The per-image arrays of a row's seeds, cut down to the images that it shares with another row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from wsol.errors import UserError
from wsol.scores.per_image import PerImage


@dataclass(frozen=True)
class ScoredRow:
    """A row: one or several seeds of a method, scored on the same images.

    Attributes:
        seeds: the arrays of each seed.
        val: the arrays of each seed on val, in the same order, where thresholds are chosen there.
    """

    seeds: Sequence[PerImage]
    val: Sequence[PerImage] = ()


@dataclass(frozen=True)
class Shared:
    """The arrays of both rows' seeds on the images (n,) of all of them, in one order."""

    row: Sequence[PerImage]
    other: Sequence[PerImage]

    @property
    def groups(self) -> np.ndarray | None:
        """What is drawn together (n,), such as the queries of one image; None: each image by itself."""
        return self.row[0].groups

    def __len__(self) -> int:
        return len(self.row[0]) if self.row else 0

    @property
    def units(self) -> int:
        """How many things are drawn: groups, or else images."""
        return len(self) if self.groups is None else len(np.unique(self.groups))

    @property
    def alike(self) -> bool:
        """Whether the rows are one and the same, seed by seed."""
        return len(self.row) == len(self.other) and all(
            mine.scored_alike(theirs) for mine, theirs in zip(self.row, self.other, strict=True)
        )


def shared(row: Sequence[PerImage], other: Sequence[PerImage], name: str) -> Shared:
    """Both rows on the images that every seed of both has, in the order of the first.

    An image that has a true box in one of them alone is not the same image. ``UserError`` where a row
    has no seeds, or no images are left of the split ``name``.
    """
    if not row or not other:
        raise UserError(f"a row without arrays of {name} cannot be compared: evaluate it again")
    first, every = row[0], [*row, *other]
    ids = reduce(np.intersect1d, [_ids(one) for one in every[1:]], _ids(first))
    if not len(ids):
        raise UserError(f"the rows have no images of {name} in common")
    places = np.flatnonzero(np.isin(_ids(first), ids))
    cut = [first.of_images(places), *(_in_order(one, _ids(first)[places]) for one in every[1:])]
    return Shared(cut[: len(row)], cut[len(row) :])


def _ids(per_image: PerImage) -> np.ndarray:
    """Image ids that also tell whether there is a true box."""
    marks = np.where(per_image.has_box, "box ", "no box ")
    return np.char.add(marks, per_image.image_ids)


def _in_order(per_image: PerImage, ids: np.ndarray) -> PerImage:
    own = _ids(per_image)
    order = np.argsort(own, kind="stable")
    return per_image.of_images(order[np.searchsorted(own, ids, sorter=order)])
