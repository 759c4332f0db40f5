"""The per-image arrays beside a record: which images a row gets right, and at which thresholds.

Read from `wsol.files.array_file` by the names they are stored under: ``image_ids`` (N,);
``has_box`` (N,) bool; ``top`` (N,) uint8, the map's largest 8-bit value, so that a threshold t cuts at
``int(t * top)``; ``top1`` (N,), -1 where no class scores exist; ``single`` (N, 256) uint16 and ``all``
(N, 256) uint8, the IoU at each cut of the largest contour's box in 1/50,000 and of the best contour's
in 1/100.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from wsol.board.columns import DELTAS
from wsol.board.reading import StoredRun
from wsol.board.rows import Row
from wsol.errors import UserError
from wsol.files.array_file import unpack

UNITS = {"single": 50_000, "all": 100}

# The thresholds at which curves are drawn: the 8-bit map has hardly more to show.
CURVE_THRESHOLDS = np.arange(0, 100) / 100


@dataclass(frozen=True)
class ImageArrays:
    """The stored arrays, of the n images that have a true box; ``top1`` (n,) is None without classes."""

    image_ids: np.ndarray
    top: np.ndarray
    top1: np.ndarray | None
    codes: Mapping[str, np.ndarray]

    def right(self, contours: str, delta: str, threshold: float) -> np.ndarray:
        """Whether each image's box has IoU >= ``delta`` at ``threshold``, (n,) bool.

        ``contours`` is ``"single"`` or ``"all"``.
        """
        cuts = (threshold * self.top.astype(np.float64)).astype(np.intp)
        code = self.codes[contours][np.arange(len(self.top)), cuts].astype(np.int64)
        return code * 100 >= round(100 * float(delta)) * UNITS[contours]

    def curve(self, delta: str) -> np.ndarray:
        """Percent of images right by the largest contour, (T,) over `CURVE_THRESHOLDS`."""
        return np.array([100 * self.right("single", delta, t).mean() for t in CURVE_THRESHOLDS])


def accuracy_curves(run: StoredRun) -> dict[str, np.ndarray] | None:
    """By IoU, percent of images right by the largest contour, (T,) over `CURVE_THRESHOLDS`.

    From the arrays, or from their sums over images where only these are beside the record (a large data
    set in a fresh clone); None where neither is, or no boxes were scored.
    """
    arrays = read_arrays(run)
    if arrays is not None:
        return {delta: arrays.curve(delta) for delta in DELTAS}
    levels = _stored(run, "levels_")
    if levels is None or "right_single" not in levels:
        return None
    percent = 100 * levels["right_single"] / levels["images"]
    # A grid's 0.35 may lie a rounding above ours.
    places = np.searchsorted(levels["thresholds"], CURVE_THRESHOLDS + 1e-9, side="right") - 1
    rows = {percent: row for row, percent in enumerate(levels["iou_percents"].tolist())}
    return {delta: percent[rows[round(100 * float(delta))], places] for delta in DELTAS}


def read_arrays(run: StoredRun) -> ImageArrays | None:
    """The arrays of a run; None where they are not beside the record or hold no boxes.

    Raises:
        UserError: the file there is not the one that the record was written with.
    """
    stored = _stored(run, "")
    if stored is None or not UNITS.keys() <= stored.keys():
        return None
    path = run.path.parent / run.record.arrays["file"]
    try:
        boxed = stored["has_box"]
        top1 = stored["top1"][boxed]
        return ImageArrays(
            image_ids=stored["image_ids"][boxed],
            top=stored["top"][boxed],
            top1=top1 == 1 if (top1 >= 0).all() else None,
            codes={key: stored[key][boxed] for key in UNITS},
        )
    except (IndexError, KeyError) as error:
        raise UserError(f"{path}: not the per-image arrays of a run: {error}") from error


def _stored(run: StoredRun, prefix: str) -> dict[str, np.ndarray] | None:
    """The arrays of the file that the record names under ``prefix``; None where it is not there."""
    name = run.record.arrays.get(f"{prefix}file")
    path = run.path.parent / name if name else None
    if path is None or not path.is_file():
        return None
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != run.record.arrays.get(f"{prefix}sha256"):
        raise UserError(f"{path}: not the arrays {run.path} was written with; evaluate the run again")
    try:
        return unpack(content)
    except (ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not the arrays of a run: {error}") from error


class ImageScores(NamedTuple):
    """Images (n,) and, by metric, their scores in [0, 1], (n,), at the row's own thresholds."""

    image_ids: np.ndarray
    by_metric: Mapping[str, np.ndarray]


def row_scores(row: Row) -> ImageScores | None:
    """The row's scores, mean over its seeds; None unless every seed has arrays of the same images."""
    seeds = [_run_scores(run) for run in row.runs]
    there = [scores for scores in seeds if scores is not None]
    if len(there) < len(seeds):
        return None
    first, *others = there
    if not all(np.array_equal(first.image_ids, other.image_ids) for other in others):
        return None
    metrics = [
        metric for metric in first.by_metric if all(metric in other.by_metric for other in others)
    ]
    means = {
        metric: np.mean([scores.by_metric[metric] for scores in there], axis=0) for metric in metrics
    }
    return ImageScores(first.image_ids, means)


def _run_scores(run: StoredRun) -> ImageScores | None:
    arrays = read_arrays(run)
    if arrays is None:
        return None
    return ImageScores(arrays.image_ids, _box_scores(arrays, run.record.threshold.get("values") or {}))


def _box_scores(arrays: ImageArrays, thresholds: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Metric to the score of every image, for the metrics whose threshold is known."""
    scores: dict[str, np.ndarray] = {}
    for name, contours in (("max_box_acc", "single"), ("max_box_acc_v2", "all")):
        for delta in DELTAS:
            key = f"{name}@{delta}"
            if key in thresholds:
                scores[key] = arrays.right(contours, delta, thresholds[key])
    each = [scores[key] for delta in DELTAS if (key := f"max_box_acc_v2@{delta}") in scores]
    if len(each) == len(DELTAS):
        scores["max_box_acc_v2"] = np.mean(each, axis=0)
    if "gt_known_loc@0.5" in thresholds:
        known = arrays.right("single", "0.5", thresholds["gt_known_loc@0.5"])
        scores["gt_known_loc@0.5"] = known
        if arrays.top1 is not None:
            scores["top1_loc@0.5"] = known & arrays.top1
    if "box_acc_v2" in thresholds:
        threshold = thresholds["box_acc_v2"]
        scores["box_acc_v2"] = np.mean([arrays.right("all", d, threshold) for d in DELTAS], axis=0)
    return {metric: values.astype(np.float64) for metric, values in scores.items()}
