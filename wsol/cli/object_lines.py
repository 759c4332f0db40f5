"""What one-to-one matching found, as lines for the terminal."""

from __future__ import annotations

from wsol.evaluation.objects.figures import AP_OVER_LEVELS, FEW_CLASSES, Group, ObjectFigures
from wsol.evaluation.objects.matching import LEVELS
from wsol.scores.resampling.weights import RESAMPLES

WIDTH = 23


def object_lines(found: ObjectFigures, *, scored: bool, ignored: int = 0) -> list[str]:
    """The figures over all objects with their intervals, then by class, or their mean where many."""
    everything = found.everything
    more = f"; {ignored} objects to ignore do not count" if ignored else ""
    lines = [
        f"one to one: {everything.objects} objects, {everything.predictions} predictions{more}",
        *([] if scored else ["no scores in the predictions: pairs are as many as possible, and no AP"]),
        *_by_level(everything, scored=scored),
    ]
    if found.mean is not None:
        lines += ["mean of the classes that have objects", *_by_level(found.mean, scored=scored)]
        if len(found.classes) <= FEW_CLASSES:
            lines += _by_class(found.classes, scored=scored)
    if found.resamples < RESAMPLES:
        lines.append(f"intervals of one-to-one figures from {found.resamples} resamples of the images")
    if scored and not found.ap_resamples:
        lines.append(
            f"no intervals of AP: {everything.predictions} predictions are too many to rank anew"
        )
    elif scored and found.ap_resamples < found.resamples:
        lines.append(f"intervals of AP from {found.ap_resamples} resamples of the images")
    return lines


def _by_level(group: Group, *, scored: bool) -> list[str]:
    columns = ["recall", "precision", *(["AP"] if scored else [])]
    lines = ["  " + f"{'IoU':<10}" + "".join(f"{column:<{WIDTH}}" for column in columns)]
    lines += [
        f"  {level:<10g}"
        + "".join(f"{_interval(group, f'{column.lower()}@{level:g}'):<{WIDTH}}" for column in columns)
        for level in LEVELS
    ]
    if scored:
        over = AP_OVER_LEVELS.removeprefix("ap@")
        lines.append(f"  {over:<10}{'':<{2 * WIDTH}}{_interval(group, AP_OVER_LEVELS)}")
    return [line.rstrip() for line in lines]


def _by_class(groups: list[Group], *, scored: bool) -> list[str]:
    keys = ["recall@0.5", "precision@0.5", *(["ap@0.5", AP_OVER_LEVELS] if scored else [])]
    width = max(10, *(len(group.name) for group in groups))
    head = f"  {'class':<{width}} {'objects':>8} {'predictions':>12}"
    lines = [head + "".join(f" {key.replace('ap', 'AP'):>13}" for key in keys)]
    for group in groups:
        values = [group.figures[key]["value"] for key in keys]
        lines.append(
            f"  {group.name or '(none)':<{width}} {group.objects:>8} {group.predictions:>12}"
            + "".join(f" {_value(value):>13}" for value in values)
        )
    return lines


def _interval(group: Group, key: str) -> str:
    figure = group.figures[key]
    if figure["value"] is None:
        return "-"
    if figure["low"] is None:
        return _value(figure["value"])
    return f"{_value(figure['value'])} [{_value(figure['low'])}, {_value(figure['high'])}]"


def _value(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
