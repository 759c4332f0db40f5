"""Predictions and annotations in, per-image arrays and metrics out; streaming, over threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wsol.cores import cores
from wsol.errors import UserError
from wsol.evaluation.readings import Reading, readings_of
from wsol.evaluation.scored_image import score_image
from wsol.evaluation.split_scores import Scores, compute
from wsol.evaluation.threads import in_threads
from wsol.progress import say, track
from wsol.scores.completeness import check_complete
from wsol.scores.metrics import metrics_of
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol, ThresholdPolicy
from wsol.scores.resampling.weights import RESAMPLES
from wsol.scores.samples import Annotation, Prediction

# What only a broken network gives is said at once, not only counted.
BROKEN = {"nan_maps", "infinite_maps"}


@dataclass(frozen=True, kw_only=True, repr=False)
class Evaluation(Scores):
    """The scores of a split, the arrays they come from, and how many images it has.

    ``counts`` says what was decided about odd input; ``n_images`` equals ``n_expected`` or there
    would be no `Evaluation`. Where queries are scored, these count as the images.
    """

    per_image: PerImage
    counts: dict[str, int]
    n_images: int
    n_expected: int

    @property
    def n_draws(self) -> int:
        """How many independent draws that are: images, however many queries each has."""
        groups = self.per_image.groups
        return self.n_images if groups is None else len(set(groups.tolist()))

    def __repr__(self) -> str:
        policy = self.threshold.get("policy", "")
        images = f"{self.n_images:,} image{'s' * (self.n_images != 1)}"
        lines = [f"<Evaluation of {images}, thresholds {policy}"]
        for key, entry in self.metrics.items():
            if entry["value"] is not None:
                ends = "" if entry["low"] is None else f" [{entry['low']:.1f}, {entry['high']:.1f}]"
                lines.append(f"  {key}: {entry['value']:.1f}{ends}")
        return "\n".join(lines) + ">"


def evaluate(
    predictions: Iterable[Prediction],
    annotations: Mapping[str, Annotation] | Sequence[Annotation],
    protocol: Protocol,
    *,
    policy: ThresholdPolicy | None = None,
    val: PerImage | None = None,
    intervals: bool = True,
) -> Evaluation:
    """Score ``predictions``, one an image and in any order, against ``annotations``.

    `collect`, then `score`: who wants more of either calls the two. Values, intervals and arrays are in
    the order of the annotations, whatever the order and timing of the predictions.
    """
    per_image = collect(predictions, annotations, protocol)
    return score(per_image, protocol, policy=policy, val=val, intervals=intervals)


def score(
    per_image: PerImage,
    protocol: Protocol,
    *,
    policy: ThresholdPolicy | None = None,
    val: PerImage | None = None,
    intervals: bool = True,
    classes: Sequence[str] = (),
) -> Evaluation:
    """The evaluation of arrays that were collected, merged or loaded before.

    `wsol.evaluation.split_scores.compute` says what ``policy`` and ``val`` are. ``classes`` are the
    labels' names, for the keys of single classes; without them the labels are.
    """
    scores = compute(per_image, protocol, policy, val, RESAMPLES if intervals else 0)
    return Evaluation(
        {_named(key, classes): entry for key, entry in scores.metrics.items()},
        scores.optimism,
        scores.threshold,
        scores.specifications,
        per_image=per_image,
        counts=per_image.counts,
        n_images=len(per_image),
        n_expected=len(per_image),
    )


def collect(
    predictions: Iterable[Prediction],
    annotations: Mapping[str, Annotation] | Sequence[Annotation],
    protocol: Protocol,
    *,
    threads: int | None = None,
    pixels: bool | None = None,
    readings: Sequence[Reading] | None = None,
    progress: str | None = None,
) -> PerImage:
    """The per-image arrays of a split, or of a share of it (then `wsol.scores.merged_arrays`).

    ``predictions`` is read as threads come free, so that a model goes on while boxes are computed and
    memory does not grow with maps. ``threads``: None takes one a core, 1 works in this thread.
    ``pixels``: whether masks are scored; None means if any annotation has one. ``readings``: what else
    is read; None means all that the annotations allow. A share of a split must say both, since it does
    not see the others. What ``predictions.counts`` has, if there is
    such, joins the counts. ``progress`` names the work in a progress bar.

    ``UserError`` names images without a prediction, predictions without an image, doubles, and maps
    that are not numbers of shape (height, width).
    """
    counts = getattr(predictions, "counts", {})
    stream = (("", prediction) for prediction in predictions)
    split = _SplitArrays(annotations, protocol, pixels, readings)
    per_image = split.filled(stream, [""], threads, progress)[""]
    per_image.counts = dict(sorted((Counter(per_image.counts) + Counter(counts)).items()))
    return per_image


def collect_each(
    predictions: Iterable[tuple[str, Prediction]],
    sources: Sequence[str],
    annotations: Mapping[str, Annotation] | Sequence[Annotation],
    protocol: Protocol,
    *,
    pixels: bool | None = None,
    readings: Sequence[Reading] | None = None,
    progress: str | None = None,
) -> dict[str, PerImage]:
    """`collect` for several sources whose predictions come in one stream of (source, prediction)."""
    split = _SplitArrays(annotations, protocol, pixels, readings)
    return split.filled(predictions, sources, None, progress)


class _SplitArrays:
    """The images of a split, or of a share of it, ready to be scored for any number of sources."""

    def __init__(
        self,
        annotations: Mapping[str, Annotation] | Sequence[Annotation],
        protocol: Protocol,
        pixels: bool | None,
        readings: Sequence[Reading] | None,
    ) -> None:
        self.images = list(annotations.values() if isinstance(annotations, Mapping) else annotations)
        self.rows = {annotation.image_id: row for row, annotation in enumerate(self.images)}
        if not self.images or len(self.rows) < len(self.images):
            raise UserError("an image is annotated twice" if self.images else "no images to score")
        metrics_of(protocol)  # a metric that cannot be imported is said before hours of scoring
        if pixels is None:
            pixels = any(annotation.masks for annotation in self.images)
        if pixels:
            protocol.check_pixels()
        self.protocol, self.pixels = protocol, pixels
        self.readings = readings_of(self.images, protocol) if readings is None else readings

    def filled(
        self,
        predictions: Iterable[tuple[str, Prediction]],
        sources: Sequence[str],
        threads: int | None,
        progress: str | None,
    ) -> dict[str, PerImage]:
        """The arrays of each source, every image of which must be in ``predictions`` once."""
        arrays = {source: PerImage.empty(self.images, self.protocol, self.pixels) for source in sources}
        for per_image in arrays.values():
            for reading in self.readings:
                per_image.readings.update(reading.empty(self.images))
        seen: dict[str, list[str]] = {source: [] for source in sources}
        counts: dict[str, Counter[str]] = {source: Counter() for source in sources}
        total = len(self.images) * len(sources)

        def known() -> Iterator[tuple[str, Prediction]]:
            stream = track(predictions, total, progress) if progress else predictions
            for source, prediction in stream:
                seen[source].append(prediction.image_id)
                if prediction.image_id in self.rows:
                    yield source, prediction

        def work(item: tuple[str, Prediction]) -> tuple[str, int, list[str]]:
            source, prediction = item
            row = self.rows[prediction.image_id]
            odd = score_image(
                arrays[source], row, prediction, self.images[row], self.protocol, self.readings
            )
            return source, row, odd

        broken: dict[str, list[int]] = {source: [] for source in sources}
        for source, row, odd in in_threads(work, known(), cores() if threads is None else threads):
            counts[source].update(odd)
            if BROKEN.intersection(odd):
                broken[source].append(row)
        for source, per_image in arrays.items():
            check_complete(seen[source], list(self.rows))
            _check_classes(per_image)
            if per_image.single is not None:
                counts[source]["images_without_boxes"] = int((~per_image.has_box).sum())
            per_image.counts = dict(sorted((+counts[source]).items()))
            if broken[source]:
                say(self._told_of(broken[source], source))
        return arrays

    def _told_of(self, broken: list[int], source: str) -> str:
        whose = f"{source}: " if source else ""
        first = self.images[min(broken)].image_id
        count = f"{len(broken):,} of {len(self.images):,} maps"
        return f"{whose}{count} hold NaN or infinity, and count as maps without a box; first {first}"


def _named(key: str, classes: Sequence[str]) -> str:
    """``rubinstein_j:2`` as ``rubinstein_j:Horse``."""
    metric, colon, label = key.partition(":")
    return f"{metric}:{classes[int(label)]}" if colon and classes else key


def _check_classes(per_image: PerImage) -> None:
    labelled = per_image.labels >= 0
    without = per_image.image_ids[labelled & (per_image.top1 < 0)]
    if 0 < len(without) < labelled.sum():
        raise UserError(
            f"{len(without)} predictions have no class scores while others have, e.g. "
            f"{', '.join(without[:3])}: give top1 to top5 for every image or for none"
        )
