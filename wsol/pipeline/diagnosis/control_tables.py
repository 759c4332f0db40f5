"""The controls as tables: of the primary figures, then of each test's own, and as a CSV of all."""

from __future__ import annotations

from collections.abc import Sequence

from wsol.pipeline.diagnosis.control_scores import CEILING, NETWORKS, PROTOCOL, ControlScore
from wsol.pipeline.diagnosis.figures import PRIMARY
from wsol.scores.metrics import specifications_of
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.protocol import protocol_named

COLUMNS = ("control", "failing", "images", "metric", "value")
# What other columns say already, at other thresholds or summed up.
LEFT_OUT = ("gt_known_loc", "top1_loc", "top5", "mean_iou", "peak_iou", "box_acc_v2", "max_box_acc_v2@")
NONE = "-"


def markdown(scores: Sequence[ControlScore]) -> str:
    """All tables, the primary figures first."""
    counts = ", ".join(dict.fromkeys(str(score.count) for score in scores))
    lines = [
        "# Controls: what every figure says of maps whose failing is known",
        "",
        "Made by `wsol diagnose --controls`.",
        "",
        f"Maps made from the truth of the images, or from nothing; {counts} images or queries a test, "
        f"protocol {PROTOCOL}. *Cells*: the map at 8 x 8, as coarse as a network's; otherwise at the "
        f"image's size. The {CEILING} is a bound and is not ranked; seed 0. {NONE}: the test shows "
        "nothing of what the control lights, or the figure cannot be computed.",
        "",
        "## Primary figures",
        "",
        *_table(scores, [(figure.images.variant, figure.key) for figure in PRIMARY], tests=True),
    ]
    for variant in dict.fromkeys(score.images for score in scores):
        own = [score for score in scores if score.images == variant]
        columns = [(variant, key) for key in _keys(own)]
        lines += ["", f"## {variant}", "", *_table(own, columns, tests=False)]
    return "\n".join([*lines, ""])


def figures(scores: Sequence[ControlScore]) -> list[tuple[str, ...]]:
    """A line a figure, under `COLUMNS`."""
    return [
        (score.name, score.failing, score.images, key, f"{value:.2f}")
        for score in scores
        for key, value in score.values.items()
        if value is not None
    ]


def _keys(scores: Sequence[ControlScore]) -> list[str]:
    """The figures that some control has, without those that say the same again."""
    known = dict.fromkeys(
        key for score in scores for key, value in score.values.items() if value is not None
    )
    return [key for key in known if not key.startswith(LEFT_OUT)]


def _table(
    scores: Sequence[ControlScore], columns: Sequence[tuple[str, str]], *, tests: bool
) -> list[str]:
    """A row a control, networks last; ``tests``: whether a column's head says of which test it is."""
    said = specifications_of([key for _, key in columns], protocol_named(PROTOCOL).describe())
    heads = [_head(variant if tests else "", said[key]) for variant, key in columns]
    values = {(score.name, score.images): score.values for score in scores}
    failings = {score.name: score.failing for score in scores}
    rows = [
        [name, failing, *(_cell(values.get((name, variant), {}).get(key)) for variant, key in columns)]
        for name, failing in sorted(failings.items(), key=lambda item: item[0] in NETWORKS)
    ]
    first = ["control", "its failing", *heads]
    rules = ["---", "---", *["---:"] * len(columns)]
    return [f"| {' | '.join(cells)} |" for cells in (first, rules, *rows)]


def _head(variant: str, said: MetricSpecification) -> str:
    lower = said.key in {one.key for one in PRIMARY if one.better == "low"} or said.lower_is_better
    return f"{variant} {said.name}{' (lower is better)' if lower else ''}".strip()


def _cell(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f}"
