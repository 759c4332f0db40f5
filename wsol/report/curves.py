"""Accuracy over the score-map threshold, one small SVG for each IoU, themed by the page's style sheet.

Written by hand, not by matplotlib: the lines take the page's colours in light and dark, answer to the
legend, and cost no import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from wsol.board.image_scores import CURVE_THRESHOLDS, accuracy_curves
from wsol.board.rows import Row
from wsol.report.row_style import Shown

WIDTH, HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 38, 8, 10, 34


READING = """<p>Share of images whose largest contour's box is right, in percent. The dot is the oracle's
threshold. A flat top is a row that does not hang on its threshold.</p>"""


@dataclass(frozen=True)
class Line:
    """A row's curves: by IoU, ``percent`` (T,) over `CURVE_THRESHOLDS` and the threshold ``chosen``."""

    shown: Shown
    percent: dict[str, np.ndarray]
    chosen: dict[str, float]


def curves(rows: Sequence[Shown]) -> str:
    """A panel for MaxBoxAcc at each IoU, with one legend; says which rows have no arrays."""
    found = {shown.name: _line(shown) for shown in rows}
    lines = [line for line in found.values() if line is not None]
    missing = ", ".join(name for name, line in found.items() if line is None)
    if not lines:
        return '<p class="none">No curves: no per-image arrays lie beside these records.</p>'
    legend = "".join(
        f'<li class="{line.shown.classes}" data-row="{line.shown.anchor}"><i class="swatch"></i>'
        f"{escape(line.shown.name)}</li>"
        for line in lines
    )
    without = f'<p class="none">No curve, for want of arrays: {escape(missing)}.</p>' if missing else ""
    deltas = sorted({delta for line in lines for delta in line.percent}, key=float)
    panels = "".join(
        _panel([line for line in lines if delta in line.percent], delta) for delta in deltas
    )
    return (
        f'<h3>Accuracy over the threshold</h3>{READING}<div class="panels">{panels}</div>'
        f'<ul class="legend">{legend}</ul>{without}'
    )


def _line(shown: Shown) -> Line | None:
    """Mean over the row's seeds; None where a run's arrays are not at hand."""
    seeds = [accuracy_curves(run) for run in shown.row.runs]
    there = [found for found in seeds if found is not None]
    if len(there) < len(seeds):
        return None
    percent = {
        delta: np.mean([found[delta] for found in there], axis=0)
        for delta in there[0]
        if all(delta in found for found in there)
    }
    return Line(shown, percent, _chosen(shown.row, list(percent)))


def _chosen(row: Row, deltas: Sequence[str]) -> dict[str, float]:
    """Per IoU the threshold of the oracle, where there is a single one to mark."""
    if len(row.runs) > 1:
        return {}
    values = row.records[0].threshold.get("values") or {}
    return {
        delta: values[key] for delta in deltas if values.get(key := f"max_box_acc@{delta}") is not None
    }


def _panel(lines: Sequence[Line], delta: str) -> str:
    title = f"MaxBoxAcc at IoU {delta} over the threshold"
    # Baselines first: the rows that are compared lie above them.
    ordered = sorted(lines, key=lambda each: not each.shown.row.is_baseline)
    body = "".join(_curve(each, delta) for each in ordered)
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{_axes()}{body}</svg>'
    return f"<figure><figcaption>IoU &ge; {delta}</figcaption>{svg}</figure>"


def _axes() -> str:
    parts = []
    for value in (0, 25, 50, 75, 100):
        y = _y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_tick(LEFT - 6, y + 3.5, "end", str(value)))
    below = HEIGHT - BOTTOM + 15
    parts += [_tick(_x(value), below, "middle", f"{value:g}") for value in (0, 0.25, 0.5, 0.75, 1)]
    parts.append(_tick((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, "middle", "score-map threshold"))
    return "".join(parts)


def _tick(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text class="tick" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _curve(each: Line, delta: str) -> str:
    percent = each.percent[delta]
    points = " ".join(
        f"{_x(threshold):.1f},{_y(value):.1f}"
        for threshold, value in zip(CURVE_THRESHOLDS, percent, strict=True)
    )
    best = int(np.argmax(percent))
    tip = f"{each.shown.name}: at best {percent[best]:.1f} % at threshold {CURVE_THRESHOLDS[best]:.2f}"
    dot = ""
    if delta in each.chosen:
        chosen = each.chosen[delta]
        height = float(np.interp(chosen, CURVE_THRESHOLDS, percent))
        dot = f'<circle cx="{_x(chosen):.1f}" cy="{_y(height):.1f}" r="3.2"/>'
    group = f'<g class="curve {each.shown.classes}" data-row="{each.shown.anchor}">'
    return f'{group}<title>{escape(tip)}</title><polyline points="{points}"/>{dot}</g>'


def _x(threshold: float) -> float:
    return LEFT + threshold * (WIDTH - LEFT - RIGHT)


def _y(percent: float) -> float:
    return TOP + (1 - percent / 100) * (HEIGHT - TOP - BOTTOM)
