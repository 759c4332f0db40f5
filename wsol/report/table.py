"""A section as an HTML table: sortable, with intervals, marks and the difference to the centred box."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from wsol.board.columns import COST_COLUMNS, percent
from wsol.board.markdown import ALIKE
from wsol.board.paired import Comparison
from wsol.board.rows import Row
from wsol.board.sections import Section
from wsol.report.row_style import Shown

COST_NAMES = {
    "input_size": "Input",
    "map_size": "Map",
    "params": "Parameters",
    "gflops": "GFLOPs",
    "images_per_second": "Images/s",
    "device": "Device",
    "pretraining": "Pretraining",
    "extra_supervision": "Extra supervision",
    "tuning_trials": "Tuning trials",
}


def metrics_table(section: Section, rows: Sequence[Shown]) -> str:
    """The ranked rows with their main metrics, and how they stand against the centred box."""
    # Under the oracle GT-known Loc is MaxBoxAcc .5 by definition: one column for both.
    twice = {"gt_known_loc@0.5"} if section.place[-1] == "oracle" else set()
    metrics = [metric for metric in section.metrics if metric not in twice]
    best = {metric: _best(section, metric) for metric in metrics}
    name = section.short_name(section.ranked_by)
    heads = [
        *("Row", "Backbone", "Maps", "Seeds"),
        *(section.short_name(metric) for metric in metrics),
        f"{name} vs centred box",
        f"Optimism, {name}",
    ]
    body = []
    for shown in rows:
        row = shown.row
        cells = [
            f'<th scope="row"><i class="swatch"></i>{escape(shown.short)}</th>',
            text_cell(row["backbone"], row["weights"]),
            text_cell(row["maps"], row["selection"] and f"{row['selection']} checkpoint"),
            _number(None if row.seeds is None else float(row.seeds), 0),
            *(_metric(section, row, metric, best[metric]) for metric in metrics),
            _difference(section.comparison(row, section.ranked_by)),
            _number(row.optimism(section.ranked_by), 1),
        ]
        body.append(f'<tr class="{shown.classes}" data-row="{shown.anchor}">{"".join(cells)}</tr>')
    return sortable(heads, body)


def class_table(section: Section, rows: Sequence[Shown]) -> str:
    """The metrics of single classes, where some were measured."""
    metrics = section.class_metrics
    if not metrics:
        return ""
    best = {metric: _best(section, metric) for metric in metrics}
    body = []
    for shown in rows:
        cells = [
            f'<th scope="row"><i class="swatch"></i>{escape(shown.short)}</th>',
            text_cell(shown.row["maps"]),
            *(_metric(section, shown.row, metric, best[metric]) for metric in metrics),
        ]
        body.append(f'<tr class="{shown.classes}" data-row="{shown.anchor}">{"".join(cells)}</tr>')
    heads = ["Row", "Maps", *(section.short_name(metric) for metric in metrics)]
    return f"<h3>By class</h3>{sortable(heads, body)}"


def details_table(rows: Sequence[Shown]) -> str:
    """What the rows cost and where they come from."""
    heads = ["Row", *COST_NAMES.values(), "Images", "Odd maps", "Commit", "Run"]
    body = []
    for shown in rows:
        records, costs = shown.row.records, shown.row.costs()
        cells = [f'<th scope="row">{escape(shown.name)}</th>']
        for column, spelling in COST_COLUMNS.items():
            text = costs[column]
            cells.append(_number(float(text), None) if spelling and text else text_cell(text))
        odd = ", ".join(f"{key} {count}" for key, count in sorted(records[0].counts.items()) if count)
        commits = sorted({(record.git_commit or "")[:9] for record in records})
        runs = ", ".join(record.run_id for record in records)
        cells += [
            _number(records[0].n_images, 0),
            text_cell(odd),
            text_cell(", ".join(commits)),
            text_cell(runs),
        ]
        body.append(f"<tr>{''.join(cells)}</tr>")
    return sortable(heads, body)


def sortable(heads: Sequence[str], body: Sequence[str]) -> str:
    """A table whose columns the page's script sorts; ``body`` holds whole ``<tr>``."""
    head = "".join(f'<th scope="col"><button>{escape(text)}</button></th>' for text in heads)
    return (
        f'<div class="wide"><table class="sortable"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _best(section: Section, metric: str) -> float | None:
    """The best value among rows that are no baselines."""
    values = [
        row.estimates[metric].value
        for row in section.rows
        if not row.is_baseline and metric in row.estimates
    ]
    return max((value for value in values if value is not None), default=None)


def _metric(section: Section, row: Row, metric: str, best: float | None) -> str:
    figure = row.estimates.get(metric)
    if figure is None or figure.value is None:
        return '<td class="number"></td>'
    below = "" if figure.std is None else f"<small>± {percent(figure.std, 1)}</small>"
    if figure.low is not None and figure.high is not None:
        below += f"<small>{percent(figure.low, 1)}&ndash;{percent(figure.high, 1)}</small>"
    mark = f'<b class="alike">{ALIKE}</b>' if section.like_center(row, metric) else ""
    comparison = section.comparison(row, metric)
    tip = f' title="{_said(comparison)}"' if comparison else ""
    strong = " best" if figure.value == best and not row.is_baseline else ""
    value = f'data-value="{figure.value:.6f}" style="--part:{figure.value:.1f}%"'
    return f'<td class="number bar{strong}" {value}{tip}>{mark}{percent(figure.value, 1)}{below}</td>'


def _difference(comparison: Comparison | None) -> str:
    if comparison is None:
        return '<td class="number"></td>'
    kind = "alike" if not comparison.distinguishable else "up" if comparison.difference > 0 else "down"
    below = f"<small>{_signed(comparison.low)} to {_signed(comparison.high)}</small>"
    if kind == "alike":
        below += "<small>not distinguishable</small>"
    value = f'data-value="{comparison.difference:.6f}" title="{_said(comparison)}"'
    return f'<td class="number {kind}" {value}>{_signed(comparison.difference)}{below}</td>'


def _said(comparison: Comparison) -> str:
    p = "p < 0.001" if comparison.p_value < 0.001 else f"p = {comparison.p_value:.3f}"
    verdict = "" if comparison.distinguishable else ": not distinguishable"
    return (
        f"{_signed(comparison.difference)} points against the centred box "
        f"({_signed(comparison.low)} to {_signed(comparison.high)}), {p}, "
        f"paired over {comparison.n_images:,} images{verdict}"
    )


def _signed(points: float) -> str:
    """With a sign and one digit, and no minus before a zero."""
    return f"{round(points, 1) + 0.0:+.1f}".replace("-", "\N{MINUS SIGN}")


def text_cell(text: str, below: str = "") -> str:
    """A cell of text, a smaller line below it."""
    small = f"<small>{escape(below)}</small>" if below else ""
    return f'<td data-value="{escape(text)}">{escape(text)}{small}</td>'


def _number(value: float | None, digits: int | None) -> str:
    """A right-aligned cell, empty for None; with ``digits`` None as many as there are."""
    if value is None:
        return '<td class="number"></td>'
    shown = f"{value:,.{digits}f}" if digits is not None else f"{value:,.10g}"
    return f'<td class="number" data-value="{value}">{shown}</td>'
