"""Recall, precision and AP over all objects, by class and as the mean of classes, with intervals."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.evaluation.objects.average_precision import Ranking
from wsol.evaluation.objects.group_sums import GroupSums
from wsol.evaluation.objects.matching import COCO_LEVELS, LEVELS
from wsol.evaluation.objects.tally import Tallied
from wsol.scores.resampling.interval import interval
from wsol.scores.resampling.replicates import Replicates
from wsol.scores.resampling.weights import RESAMPLES, resample_weights

AP_OVER_LEVELS = "ap@0.5:0.95"
# More classes than these are told by their mean, and get no intervals of their own.
FEW_CLASSES = 20
# Resamples times objects and predictions: beyond, fewer resamples are drawn, but never fewer than these.
WORK, FEWEST_RESAMPLES = 2e9, 200
# The same for AP, which ranks the predictions anew in each: where the fewest are too many, AP gets no
# interval.
AP_WORK = 2e7


@dataclass(frozen=True)
class Group:
    """The figures of a class, or of all objects.

    ``figures`` are ``{key: {"value", "low", "high"}}`` in percent with 95 % intervals over images, None
    where there is none: ``recall@0.5``, ``precision@0.5``, ``ap@0.5`` ..., and ``ap@0.5:0.95``.
    """

    name: str
    objects: int
    predictions: int
    figures: dict[str, dict[str, float | None]]


@dataclass(frozen=True)
class ObjectFigures:
    """All figures of a comparison.

    Attributes:
        everything: all objects in one pool; its AP ranks the predictions of all classes in one list.
        mean: the means over the classes that have true objects, as COCO has them; None with one class.
        classes: each class, in the order of the names; those without true objects too.
        resamples: how many the intervals come from.
        ap_resamples: how many of them AP's come from; 0: AP has none.
    """

    everything: Group
    mean: Group | None
    classes: list[Group]
    resamples: int
    ap_resamples: int


def object_figures(
    tallied: Tallied, names: Sequence[str], levels: np.ndarray, *, scored: bool
) -> ObjectFigures:
    """What ``tallied`` gives; ``names`` are those of its classes 0, 1 ..., ``levels`` its levels of IoU.

    Recall is the share of true objects that are matched, precision the share of predictions that are,
    predictions that do not count left out: all that were given, at whatever score. AP is
    `Ranking.average_precision`, and is left out unless ``scored``. Intervals resample images. Of very
    many predictions they come from fewer resamples, and AP has none beyond 100,000 predictions.
    """
    reader = _Reader(tallied, len(names), levels, scored)
    size = len(tallied.image) + len(tallied.true_image)
    resamples = int(np.clip(WORK // max(size, 1), FEWEST_RESAMPLES, RESAMPLES))
    ap_resamples = int(min(AP_WORK // max(len(tallied.image), 1), resamples))
    ap_resamples = 0 if ap_resamples < min(FEWEST_RESAMPLES, resamples) else ap_resamples
    few = len(names) <= FEW_CLASSES
    whole = reader(np.ones((1, tallied.images), np.float32))
    drawn, left = [], ap_resamples
    for weights in resample_weights(tallied.images, resamples) if tallied.images else ():
        parts = reader(weights, left)
        left = max(left - len(weights), 0)
        drawn.append([part if few or place < 2 else part[:, :0] for place, part in enumerate(parts)])
    pooled, mean, each = (
        (
            whole[place][0],
            np.concatenate([block[place] for block in drawn]) if drawn else whole[place][:0],
        )
        for place in range(3)
    )
    groups = [
        Group(
            name,
            *_counts(tallied, code),
            _figures(
                reader.keys, each[0][code], each[1][:, code] if few else None, _images(tallied, code)
            ),
        )
        for code, name in enumerate(names)
    ]
    counts = len(tallied.true_image), len(tallied.image)
    everything, average = (
        Group(name, *counts, _figures(reader.keys, *part, _images(tallied, None)))
        for name, part in (("all objects", pooled), ("mean of classes", mean))
    )
    return ObjectFigures(
        everything, average if len(names) > 1 else None, groups, resamples, ap_resamples
    )


class _Reader:
    """Weights (B, N) of the images to figures in percent, by the keys: NaN is undefined."""

    def __init__(self, tallied: Tallied, classes: int, levels: np.ndarray, scored: bool) -> None:
        self._classes = max(classes, 1)
        shown = [int(np.argmin(np.abs(levels - level))) for level in LEVELS]
        self._sums = GroupSums(tallied, self._classes, shown)
        self.keys = [f"{what}@{level:g}" for what in ("recall", "precision") for level in LEVELS]
        self._rankings = []
        if scored:
            self.keys += [f"ap@{level:g}" for level in LEVELS] + [AP_OVER_LEVELS]
            self._shown, self._coco = shown, np.isin(levels, COCO_LEVELS)
            self._rankings = [
                Ranking(tallied, tallied.classes, tallied.true_classes, self._classes, len(levels))
            ]
            if classes > 1:
                one, other = np.zeros_like(tallied.classes), np.zeros_like(tallied.true_classes)
                self._rankings.append(Ranking(tallied, one, other, 1, len(levels)))

    def __call__(self, weights: np.ndarray, ranked: int = 1) -> list[np.ndarray]:
        """All objects (B, keys), mean of classes (B, keys), each class (B, K, keys).

        AP is that of the first ``ranked`` of the weightings, of the others NaN.
        """
        right, wrong, objects = self._sums(weights)
        each = self._shares(right, wrong, objects)
        pooled = self._shares(right.sum(axis=1), wrong.sum(axis=1), objects.sum(axis=1))
        if self._rankings:
            precisions = [
                self._average_precisions(ranking, weights, ranked) for ranking in self._rankings
            ]
            each = np.concatenate([each, precisions[0]], axis=-1)
            pooled = np.concatenate([pooled, precisions[-1][:, 0]], axis=-1)
        counted = np.where(objects[..., None] > 0, each, np.nan)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # no class at all: undefined
            mean = np.nanmean(counted, axis=1)
        return [pooled, mean, each]

    def _shares(self, right: np.ndarray, wrong: np.ndarray, objects: np.ndarray) -> np.ndarray:
        """Recall and precision in percent at the levels shown."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return 100 * np.concatenate([right / objects[..., None], right / (right + wrong)], axis=-1)

    def _average_precisions(self, ranking: Ranking, weights: np.ndarray, ranked: int) -> np.ndarray:
        """(B, groups, levels shown and COCO's mean)."""
        found = np.full((len(weights), ranking.groups, len(self._coco)), np.nan)
        for place, row in enumerate(weights[:ranked]):
            found[place] = 100 * ranking.average_precision(row)
        mean = found[..., self._coco].mean(axis=-1, keepdims=True)
        return np.concatenate([found[..., self._shown], mean], axis=-1)


def _figures(
    keys: Sequence[str], values: np.ndarray, draws: np.ndarray | None, images: tuple[int, int]
) -> dict[str, dict[str, float | None]]:
    """Value and interval by key; ``images`` with a true object, and with a prediction."""
    figures = {}
    for place, key in enumerate(keys):
        value, bounds = float(values[place]), None
        if draws is not None and not np.isnan(value):
            spread = draws[:, place]
            bounds = interval(value, Replicates(spread, spread), images[key.startswith("precision")])
        low, high = bounds or (None, None)
        figures[key] = {"value": None if np.isnan(value) else value, "low": low, "high": high}
    return figures


def _counts(tallied: Tallied, code: int) -> tuple[int, int]:
    return int((tallied.true_classes == code).sum()), int((tallied.classes == code).sum())


def _images(tallied: Tallied, code: int | None) -> tuple[int, int]:
    sides = (tallied.true_image, tallied.true_classes), (tallied.image, tallied.classes)
    true, predicted = (
        len(np.unique(image if code is None else image[classes == code])) for image, classes in sides
    )
    return true, predicted
