"""What passes between the rooms for one image: the sample, the ground truth, the prediction.

Boxes are ``(n, 4)`` float32 ``x0, y0, x1, y1``, half-open, in pixels of the original image, unless a
name says otherwise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sample:
    """One image as a model sees it: ``image`` (3, H, W) float tensor, ``label`` of its class.

    ``boxes`` (n, 4) float tensor in its pixels, for training that is shown them; else None.
    """

    image: Any
    label: int
    image_id: str
    index: int
    boxes: Any = None


@dataclass(frozen=True)
class Annotation:
    """The ground truth of one image.

    ``boxes`` (n, 4) half-open original pixels, n may be 0; ``source_boxes`` (n, 4) the numbers as
    the source wrote them (what `choe2020` reads), equal to ``boxes`` where the source is
    half-open. ``masks`` and ``ignore`` are absolute paths of PNG files; the object is their
    union. ``size`` is (height, width).

    Where the manifest says more of each box, ``box_labels`` (n,) int64 are the classes of the boxes and
    ``box_instances`` (n,) int64 the numbers of the things they frame, -1 where it does not say; None
    where it says nothing of any box. ``parts`` is the absolute path of a PNG whose pixels are codes,
    empty where there is none; ``part_names`` are the names of the codes from 1 to 255, and 0 is no part.
    ``group`` names what the annotation was cut from, empty where from nothing: those of one group, such
    as the queries of one image, are no independent draws and are resampled together. ``present`` are, of
    a query, the labels of all classes that its image shows, its own among them; empty where the image as
    a whole is scored.
    """

    image_id: str
    label: int
    size: tuple[int, int]
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    source_boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    masks: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    box_labels: np.ndarray | None = None
    box_instances: np.ndarray | None = None
    parts: str = ""
    part_names: Mapping[int, str] = field(default_factory=dict)
    group: str = ""
    present: tuple[int, ...] = ()


@dataclass(frozen=True)
class Prediction:
    """What one forward pass says of one image.

    ``label`` is the class whose map this is; ``top5`` the classes by falling score, best first,
    empty where no class scores exist; ``probabilities`` are theirs, in [0, 1], where they are known.
    ``score_map`` (h, w) float32 as the source made it, before any resizing or normalising. Instead of a
    map it may carry ``boxes`` (n, 4) half-open original pixels or a boolean ``mask`` (height, width); or
    ``share_box`` (4,), one box in shares of the image's sides from 0 to 1, where its size is not known.
    ``faithfulness`` are the areas in [0, 1] under the map's deletion and insertion curves
    (`wsol.maps.faithfulness`), by the key of the metric; empty where they were not measured.
    """

    image_id: str
    label: int
    top5: tuple[int, ...] = ()
    score_map: np.ndarray | None = None
    boxes: np.ndarray | None = None
    mask: np.ndarray | None = None
    probabilities: tuple[float, ...] = ()
    share_box: np.ndarray | None = None
    faithfulness: Mapping[str, float] = field(default_factory=dict)

    def at_size(self, size: tuple[int, int]) -> Prediction:
        """With its ``share_box`` in pixels of an image of ``size`` (height, width), among ``boxes``."""
        if self.share_box is None:
            return self
        height, width = size
        box = np.asarray(self.share_box, np.float64) * (width, height, width, height)
        return dataclasses.replace(self, boxes=box[None], share_box=None)
