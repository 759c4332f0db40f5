"""Compile the evaluator's kernels once, so that no evaluation waits for it: run with ``python -m``."""

from __future__ import annotations

import numpy as np

from wsol.evaluation.contours.iou import best_iou_per_cut
from wsol.evaluation.contours.one_to_one import one_to_one
from wsol.evaluation.masks import pixel_histograms
from wsol.evaluation.objects.figures import object_figures
from wsol.evaluation.objects.image_objects import ImageObjects, pair_iou
from wsol.evaluation.objects.matching import SCORED_LEVELS, match
from wsol.evaluation.objects.tally import Tally
from wsol.scores.protocol import protocol_named


def warm_up() -> None:
    """Run every kernel on a small map; numba keeps what it compiles beside the source files."""
    noise = np.random.default_rng(0).integers(0, 256, (32, 32)).astype(np.uint8)
    for contours in ("single", "all"):
        for inclusive in (True, False):
            best_iou_per_cut([noise], [np.array([[4, 4, 20, 20]])], contours, inclusive)
    one_to_one(noise, np.array([[4, 4, 20, 20]]), 0.5)
    square = ImageObjects.of_boxes(np.array([[0, 0, 1, 1]]), scores=np.ones(1))
    tally = Tally()
    tally.add(square, square, match(square, square, pair_iou(square, square), SCORED_LEVELS))
    object_figures(tally.tallied(), [""], SCORED_LEVELS, scored=True)
    pixel_histograms(noise / 255.0, noise, protocol_named("choe2020").bin_edges)


if __name__ == "__main__":
    warm_up()
