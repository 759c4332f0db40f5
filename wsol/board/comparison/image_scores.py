"""The per-image arrays beside a record: which images a row gets right, and at which thresholds.

Only the suite's own metrics are read from arrays: those of a metric from outside would need its code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from wsol.board.rows.rows import Row
from wsol.board.runs.reading import StoredRun
from wsol.errors import UserError
from wsol.files.array_file import unpack
from wsol.scores.array_size import most_bytes_of
from wsol.scores.metrics import own_metrics
from wsol.scores.metrics.metric import Metric
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.records import RunRecord
from wsol.scores.thresholds import thresholds

# The thresholds at which curves are drawn: the 8-bit map has hardly more to show.
CURVE_THRESHOLDS = thresholds(0.01)


def accuracy_curves(run: StoredRun) -> dict[str, np.ndarray] | None:
    """By IoU, percent of images right by the largest contour, (T,) over `CURVE_THRESHOLDS`.

    From the arrays, or from their sums over images where only these are beside the record (a large data
    set in a fresh clone); None where neither is, or no boxes were scored.
    """
    per_image = read_arrays(run)
    if per_image is not None:
        if not per_image.has("boxes"):
            return None
        return {
            f"{iou:g}": 100 * per_image.right("single", iou, CURVE_THRESHOLDS).mean(axis=0)
            for iou in Protocol.of_record(run.record.protocol).ious
        }
    levels = read_sums(run)
    if levels is None or "right_single" not in levels:
        return None
    percent = 100 * levels["right_single"] / levels["images"]
    # A grid's 0.35 may lie a rounding above ours.
    places = np.searchsorted(levels["thresholds"], CURVE_THRESHOLDS + 1e-9, side="right") - 1
    return {
        f"{whole / 100:g}": percent[row, places]
        for row, whole in enumerate(levels["iou_percents"].tolist())
    }


def read_arrays(run: StoredRun) -> PerImage | None:
    """The arrays of a run; None where they are not beside the record.

    Raises:
        UserError: the file there is not the one that the record was written with.
    """
    content = _stored(run, "")
    if content is None:
        return None
    try:
        step = Protocol.of_record(run.record.protocol).step
        return PerImage.from_bytes(content, most_bytes_of(run.record.n_images, step))
    except ValueError as error:
        path = run.path.parent / run.record.arrays["file"]
        raise UserError(f"{path}: not the per-image arrays of a run: {error}") from error


def read_sums(run: StoredRun) -> dict[str, np.ndarray] | None:
    """The sums over images of a run, `wsol.scores.level_counts`; None where they are not beside it.

    ``UserError`` as from `read_arrays`.
    """
    stored = _stored(run, "levels_")
    return None if stored is None else _unpacked(run, "levels_", stored)


class ImageScores(NamedTuple):
    """Images (N,) and, by metric, their scores in [0, 1], (N,), at the row's own thresholds.

    NaN are the scores of images that do not count, such as those without a box.
    """

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
    per_image = read_arrays(run)
    if per_image is None:
        return None
    return ImageScores(per_image.image_ids, _by_metric(per_image, run.record))


def _by_metric(per_image: PerImage, record: RunRecord) -> dict[str, np.ndarray]:
    """The scores by each main metric, and those it is the mean of, whose threshold is known."""
    protocol = Protocol.of_record(record.protocol)
    metrics = own_metrics(protocol)
    thresholds = record.threshold.get("values") or {}
    shown = {key for key, metric in metrics.items() if metric.specification.main_column is not None}
    parts = {part for key in shown for part in metrics[key].specification.mean_of}
    scores: dict[str, np.ndarray] = {}
    for key, metric in metrics.items():
        if key in shown | parts and metric.measurable(per_image, protocol):
            found = _scores(metric, per_image, thresholds)
            if found is not None:
                scores[key] = found
    for key in shown:
        mean_of = metrics[key].specification.mean_of
        if mean_of and all(part in scores for part in mean_of):
            scores[key] = np.mean([scores[part] for part in mean_of], axis=0)
    return scores


def _scores(metric: Metric, per_image: PerImage, thresholds: Mapping[str, float]) -> np.ndarray | None:
    chooser = metric.chosen_by(per_image)
    if chooser is None:
        return metric.image_scores(per_image, 0.0)
    threshold = thresholds.get(metric.key, thresholds.get(chooser))
    return None if threshold is None else metric.image_scores(per_image, threshold)


def _stored(run: StoredRun, prefix: str) -> bytes | None:
    """The file of arrays that the record names under ``prefix``; None where it is not there."""
    name = run.record.arrays.get(f"{prefix}file")
    path = run.path.parent / name if name else None
    if path is None or not path.is_file():
        return None
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != run.record.arrays.get(f"{prefix}sha256"):
        raise UserError(f"{path}: not the arrays {run.path} was written with; evaluate the run again")
    return content


def _unpacked(run: StoredRun, prefix: str, content: bytes) -> dict[str, np.ndarray]:
    try:
        return unpack(content)
    except ValueError as error:
        path = run.path.parent / run.record.arrays[f"{prefix}file"]
        raise UserError(f"{path}: not the arrays of a run: {error}") from error
