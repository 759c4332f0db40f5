"""Several objects of one class in an image: which contours find one of them each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from wsol.evaluation.boxes import scale_boxes
from wsol.evaluation.contours.one_to_one import given_one_to_one, one_to_one
from wsol.evaluation.readings.reading import Reading, ScoredMap
from wsol.scores.instances import CUTS, IOU, RANKED_CUTS, STEPS
from wsol.scores.protocol import Protocol
from wsol.scores.samples import Annotation

MOST = np.iinfo(np.uint16).max  # contours of a cut; noise of a thousand pixels a side has more


class Instances(Reading):
    """Read where the data set numbers the things that its boxes frame, and an image shows several.

    Arrays, of N images:

    - ``instances`` (N,) int32, how many there are;
    - ``instance_contours``, ``instance_hits`` (N, 256) uint16, by cut: the outer contours, and those
      that find an instance of their own (`wsol.evaluation.contours.one_to_one`);
    - ``instance_ranks`` (N, 15, 16, 2) uint16: at every 16th cut the contours by their largest value in
      16 steps, those that find nothing and those that do: what AP is computed from.
    """

    @classmethod
    def of(cls, annotations: Sequence[Annotation], protocol: Protocol) -> Self | None:
        """None unless some image has several numbered boxes."""
        return cls() if any(_numbered(each) and len(each.boxes) > 1 for each in annotations) else None

    def empty(self, annotations: Sequence[Annotation]) -> dict[str, np.ndarray]:
        """The four arrays; how many instances there are is known already."""
        n = len(annotations)
        return {
            "instances": np.array([len(annotation.boxes) for annotation in annotations], np.int32),
            "instance_contours": np.zeros((n, CUTS), np.uint16),
            "instance_hits": np.zeros((n, CUTS), np.uint16),
            "instance_ranks": np.zeros((n, len(RANKED_CUTS), STEPS, 2), np.uint16),
        }

    def read(self, scored: ScoredMap) -> Mapping[str, Any]:
        """The three of a map, a mask or boxes; boxes are the same at every cut."""
        protocol, annotation = scored.protocol, scored.annotation
        if not len(annotation.boxes):
            return {}
        own = annotation.source_boxes if protocol.source_boxes else annotation.boxes
        size, frame = annotation.size, protocol.frame(annotation.size)
        true = scale_boxes(own, size, frame, protocol.inclusive)
        convention = "inclusive" if protocol.inclusive else "halfopen"
        if scored.normalised is not None:
            map_u8 = (np.maximum(scored.normalised, 0) * 255).astype(np.uint8)
            contours, hits, rows = one_to_one(map_u8, true, IOU, convention)
        else:
            given = scored.prediction.boxes
            boxes = scale_boxes(
                np.zeros((0, 4)) if given is None else given, size, frame, protocol.inclusive
            )
            contours, hits, rows = given_one_to_one(boxes, true, frame, IOU, convention)
        return {
            "instance_contours": np.minimum(contours, MOST),
            "instance_hits": hits,
            "instance_ranks": _ranks(rows),
        }


def _numbered(annotation: Annotation) -> bool:
    return annotation.box_instances is not None and bool((annotation.box_instances >= 0).any())


def _ranks(rows: np.ndarray) -> np.ndarray:
    """How many contours of each step of their largest value, at the cuts of `RANKED_CUTS`."""
    living = (rows[:, 0] <= RANKED_CUTS[:, None]) & (RANKED_CUTS[:, None] <= rows[:, 1])
    cut, one = np.nonzero(living)
    ranks = np.zeros((len(RANKED_CUTS), STEPS, 2), np.uint16)
    np.add.at(ranks, (cut, rows[one, 2] * STEPS // CUTS, rows[one, 3]), 1)
    return ranks
