"""Accuracy over the score-map threshold: one small SVG for each IoU that a row was scored at.

The template `curves.html.jinja` draws them, not matplotlib: so the lines take the page's colours in
light and dark, answer to the legend, and cost no import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.board.comparison.image_scores import CURVE_THRESHOLDS, accuracy_curves
from wsol.board.rows.rows import Row
from wsol.report.row_style import RowStyle

WIDTH, HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 38, 8, 10, 34

# Metrics of one IoU each, `max_box_acc@0.5`: their panels are drawn.
METRIC = "max_box_acc@"


@dataclass(frozen=True)
class Tick:
    """A label of an axis and its place along it, in pixels of the drawing."""

    at: float
    label: str


@dataclass(frozen=True)
class Axes:
    """The frame that all panels share: its size, where lines start and end, and the ticks."""

    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM
    percents: tuple[Tick, ...] = ()
    thresholds: tuple[Tick, ...] = ()


@dataclass(frozen=True)
class DrawnCurve:
    """A row's line in one panel: its corners, and the ``dot`` of its record's figure, in pixels.

    The line has a corner every hundredth; the figure's own threshold may lie between two of them.
    """

    style: RowStyle
    points: tuple[tuple[float, float], ...]
    dot: tuple[float, float] | None
    tip: str


@dataclass(frozen=True)
class Panel:
    """The curves at one IoU, ``delta``."""

    delta: str
    curves: tuple[DrawnCurve, ...]


@dataclass(frozen=True)
class Curves:
    """The panels by rising IoU, the rows of their one legend, and the names of rows without a curve.

    ``none`` says why there is no panel at all; empty where there are some.
    """

    panels: tuple[Panel, ...] = ()
    legend: tuple[RowStyle, ...] = ()
    without: tuple[str, ...] = ()
    none: str = ""
    axes: Axes = Axes()

    @property
    def means(self) -> bool:
        """Whether some rows have several seeds, whose lines are means and have no dot."""
        return any(len(style.row.runs) > 1 for style in self.legend)

    @property
    def quiet(self) -> bool:
        """Whether some rows are drawn faintly."""
        return any("quiet" in style.classes.split() for style in self.legend)


def curves(styles: Sequence[RowStyle]) -> Curves:
    """MaxBoxAcc over the threshold, one panel for each IoU; rows without arrays are named."""
    deltas = box_ious([style.row for style in styles])
    if not deltas:
        return Curves(none="No curves: no row of this table was scored by boxes.")
    found = [(style, _percent(style.row, deltas)) for style in styles]
    drawn = [(style, percent) for style, percent in found if percent]
    if not drawn:
        return Curves(none="No curves: no per-image arrays lie beside these records.")
    # Baselines first: the rows that are compared lie above them.
    ordered = sorted(drawn, key=lambda each: not each[0].row.is_baseline)
    panels = (_panel(ordered, delta) for delta in deltas)
    return Curves(
        panels=tuple(panel for panel in panels if panel.curves),
        legend=tuple(style for style, _ in drawn),
        without=tuple(style.name for style, percent in found if not percent),
        axes=_axes(),
    )


def box_ious(rows: Sequence[Row]) -> list[str]:
    """The IoU levels, as they are spelled in ``max_box_acc@0.5``, that a row was scored at; rising."""
    keys = {
        key
        for row in rows
        for key, estimate in row.estimates.items()
        if key.startswith(METRIC) and ":" not in key and estimate.value is not None
    }
    return sorted((key.removeprefix(METRIC) for key in keys), key=float)


def _percent(row: Row, deltas: Sequence[str]) -> dict[str, np.ndarray]:
    """By IoU the row's (T,) percentages over `CURVE_THRESHOLDS`, mean over seeds.

    Empty where a seed's arrays are not at hand; without the IoUs that they do not hold.
    """
    seeds = [accuracy_curves(run) for run in row.runs]
    there = [found for found in seeds if found is not None]
    if len(there) < len(seeds):
        return {}
    return {
        delta: np.mean([found[delta] for found in there], axis=0)
        for delta in deltas
        if all(delta in found for found in there)
    }


def _panel(rows: Sequence[tuple[RowStyle, dict[str, np.ndarray]]], delta: str) -> Panel:
    drawn = (_curve(style, percent[delta], delta) for style, percent in rows if delta in percent)
    return Panel(delta, tuple(drawn))


def _chosen(row: Row, delta: str) -> float | None:
    """The oracle's threshold at an IoU, where there is a single one to mark."""
    if len(row.runs) > 1:
        return None
    return (row.records[0].threshold.get("values") or {}).get(METRIC + delta)


def _curve(style: RowStyle, percent: np.ndarray, delta: str) -> DrawnCurve:
    points = tuple((_x(t), _y(value)) for t, value in zip(CURVE_THRESHOLDS, percent, strict=True))
    best = int(np.argmax(percent))
    top, threshold = float(percent[best]), float(CURVE_THRESHOLDS[best])
    figure, chosen = style.row.values(METRIC + delta)[0], _chosen(style.row, delta)
    dot = None
    if chosen is not None and figure is not None:
        top, threshold = figure, chosen
        dot = _x(chosen), _y(figure)
    tip = f"{style.name}: at best {top:.1f} % at threshold {threshold:.3f}"
    return DrawnCurve(style, points, dot, tip)


def _axes() -> Axes:
    return Axes(
        percents=tuple(Tick(_y(value), str(value)) for value in (0, 25, 50, 75, 100)),
        thresholds=tuple(Tick(_x(value), f"{value:g}") for value in (0, 0.25, 0.5, 0.75, 1)),
    )


def _x(threshold: float) -> float:
    return LEFT + threshold * (WIDTH - LEFT - RIGHT)


def _y(percent: float) -> float:
    return TOP + (1 - percent / 100) * (HEIGHT - TOP - BOTTOM)
