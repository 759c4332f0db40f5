"""The columns of the board, in their one order, and how each number is spelled."""

from __future__ import annotations

from collections.abc import Iterable

from wsol.scores.metrics import in_columns, own_metrics
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.protocol import Protocol

# What a record says of its row.
RECORD_COLUMNS = (
    "dataset",
    "split",
    "backbone",
    "weights",
    "attention",
    "method",
    "maps",
    "protocol",
    "threshold_policy",
    "selection",
)

# What makes a row a row. ``variant`` is what tells recipes apart that agree in all the others.
KEY_COLUMNS = (*RECORD_COLUMNS, "variant")

PERCENT = (0.0, 100.0)

STATISTICS = ("", "_std", "_low", "_high")

# Each with the format of its numbers; text stays as it is.
COST_COLUMNS = {
    "input_size": "d",
    "map_size": "",
    "params": "d",
    "gflops": ".3f",
    "images_per_second": ".1f",
    "device": "",
    "pretraining": "",
    "extra_supervision": "",
    "tuning_trials": "d",
    "epochs": "d",
    "batch_size": "d",
    "lr": ".6g",
}

# In what a row is unlike the others of its table; the last column.
UNLIKE = "unlike"

# Maps that every localizer has to beat, and their titles, in records that do not say it themselves.
BASELINES = {
    "center": "centred box",
    "gaussian": "centred Gaussian",
    "intensity": "image intensity",
    "features": "feature mean",
    "background": "all background",
    "foreground": "all foreground",
}


def metric_columns(keys: Iterable[str], specifications: dict[str, MetricSpecification]) -> list[str]:
    """The metrics of the CSV: the suite's own, which every table has, then the others of ``keys``.

    Whoever reads the CSV finds a column where it was: IoUs of another protocol, what only some data sets
    can be asked and metrics from outside follow, in the order of their columns, and after them those of
    single classes, by name.
    """
    own = own_metrics(Protocol(""))
    always = [key for key, metric in own.items() if not metric.specification.of_reading]
    others = {key for key in keys if key not in always}
    described = in_columns(specifications[key] for key in others if key in specifications)
    return [*always, *(each.key for each in described), *sorted(others - specifications.keys())]


def short_name(metric: str, specifications: dict[str, MetricSpecification]) -> str:
    """What a table calls a metric: ``J``, or ``J Horse`` for that of a class."""
    of_all, _, of_class = metric.partition(":")
    name, unit = of_all, "percent"
    if of_all in specifications:
        name, unit = specifications[of_all].name, specifications[of_all].unit
    if unit != "percent":
        name = f"{name} ({unit})"
    return f"{name} {of_class}" if of_class else name


def percent(value: float | None, digits: int = 3) -> str:
    """A metric in percent with a fixed number of digits; empty where there is none, never 0."""
    return "" if value is None else f"{value:.{digits}f}"
