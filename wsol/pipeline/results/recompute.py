"""The statistics of a record, computed again from the arrays beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from wsol.board.comparison.image_scores import read_arrays, read_sums
from wsol.board.runs.reading import StoredRun
from wsol.errors import UserError
from wsol.evaluation.split_scores import Scores, compute
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol, ThresholdPolicy
from wsol.scores.records import RunRecord

# Bounds of quantiles may differ in their last bits between versions of NumPy.
TOLERANCE = 1e-9

Figure = Mapping[str, float | None]


@dataclasses.dataclass(frozen=True)
class Recomputed:
    """What the arrays of a run give: ``scores`` by the record's keys, and how many images there are."""

    scores: Scores
    counts: dict[str, int]
    n_images: int


def recompute(run: StoredRun) -> Recomputed | None:
    """The statistics of the suite's own metrics from the arrays; None where these are not at hand.

    Protocol and policy are the record's. Thresholds chosen on val are taken from the record: the arrays
    of val are not kept. Metrics from outside are left out: they need code that the record names.

    Raises:
        UserError: the arrays are damaged, or were made under another protocol.
    """
    per_image = read_arrays(run)
    if per_image is None:
        return None
    record = run.record
    protocol = dataclasses.replace(Protocol.of_record(record.protocol), metrics=())
    policy = ThresholdPolicy.parse(record.threshold["policy"])
    chosen = dict(record.threshold.get("values", {})) if policy.name == "val" else None
    try:
        scores = compute(per_image, protocol, policy, chosen)
    except (ValueError, IndexError, TypeError, AttributeError) as error:
        path = run.path.parent / record.arrays["file"]
        raise UserError(f"{path}: arrays that cannot be scored: {error}") from error
    names = class_names(record, per_image, scores)
    metrics = {_named(key, names): figure for key, figure in scores.metrics.items()}
    scores = dataclasses.replace(scores, metrics=metrics)
    return Recomputed(scores, dict(per_image.counts), len(per_image))


def from_sums(run: StoredRun) -> dict[str, float] | None:
    """MaxBoxAcc of all kinds from the sums over images; None where they, or boxes, are not at hand.

    These need no image: how many are right at each threshold, and how many there are. ``UserError``
    where the sums are damaged.
    """
    sums = read_sums(run)
    if sums is None or "right_single" not in sums:
        return None
    try:
        ious = [f"{percent / 100:g}" for percent in sums["iou_percents"].tolist()]
        single, every = (
            (100 * sums[name].max(axis=1) / sums["images"].item()).tolist()
            for name in ("right_single", "right_all")
        )
    except (KeyError, ValueError, TypeError, ZeroDivisionError) as error:
        path = run.path.parent / run.record.arrays["levels_file"]
        raise UserError(f"{path}: sums that cannot be read: {error!r}") from error
    found = {f"max_box_acc@{iou}": value for iou, value in zip(ious, single, strict=True)}
    found |= {f"max_box_acc_v2@{iou}": value for iou, value in zip(ious, every, strict=True)}
    return found | {"max_box_acc_v2": sum(every) / len(every)}


def is_own(key: str, computed: Scores) -> bool:
    """Whether a record's metric is one of the suite's, and no other's."""
    return key in computed.metrics or key.partition(":")[0] in computed.specifications


def same(first: float | None, second: float | None) -> bool:
    """Whether two figures are one; None is only itself."""
    if first is None or second is None:
        return first is second
    return abs(first - second) <= TOLERANCE


def class_names(record: RunRecord, per_image: PerImage, scores: Scores) -> dict[str, str]:
    """The names of the arrays' labels, ``{"2": "Horse"}``, for the metrics of single classes.

    The record says them by name and the arrays by label. Names stand in the order of their labels in
    records that list them; elsewhere they are told by their figures, and the last ones by their order.
    """
    labels = [str(label) for label in sorted(set(per_image.labels.tolist()))]
    listed = record.dataset.get("classes")
    if isinstance(listed, list):
        return {label: str(listed[int(label)]) for label in labels if int(label) < len(listed)}
    names = sorted({key.partition(":")[2] for key in record.metrics if ":" in key})
    found: dict[str, str] = {}
    for label in labels:
        mine = {k.partition(":")[0]: f for k, f in scores.metrics.items() if k.endswith(f":{label}")}
        fitting = [name for name in names if _fits(name, mine, record.metrics)]
        if len(fitting) == 1 and fitting[0] not in found.values():
            found[label] = fitting[0]
    left = [name for name in names if name not in found.values()]
    without = [label for label in labels if label not in found]
    return found | dict(zip(without, left, strict=False))


def _fits(name: str, mine: Mapping[str, Figure], recorded: Mapping[str, Figure]) -> bool:
    return bool(mine) and all(
        same(figure["value"], recorded.get(f"{metric}:{name}", {}).get("value"))
        for metric, figure in mine.items()
    )


def _named(key: str, names: Mapping[str, str]) -> str:
    metric, colon, label = key.partition(":")
    return f"{metric}:{names.get(label, label)}" if colon else key
