"""The statistics of a record, computed again from the arrays beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from wsol.board.comparison.image_scores import read_arrays
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
