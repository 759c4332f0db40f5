"""The tables of a section: metrics with intervals and marks, metrics by class, cost and provenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wsol.board.rows.columns import COST_COLUMNS, percent
from wsol.board.rows.rows import Row
from wsol.board.tables.sections import Section
from wsol.report.cells import Cell, Head, Table, TableRow, columns, number_cell, text_cell
from wsol.report.row_style import RowStyle
from wsol.scores.comparison.comparison import Comparison

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
    "epochs": "Epochs",
    "batch_size": "Batch size",
    "lr": "Learning rate",
}


def metrics_table(section: Section, styles: Sequence[RowStyle]) -> Table:
    """The ranked rows with their main metrics, and how they stand against the centred box."""
    # The metric that ranks stands first: narrow screens show one or two.
    metrics = sorted(_without_twins(section), key=lambda metric: metric != section.ranked_by)
    best = {metric: best_of(section, metric) for metric in metrics}
    ranked_by = section.ranked_by
    name = section.short_name(ranked_by)
    heads = (
        *columns(("Row",)),
        *columns(("Backbone", "Maps"), minor=True),
        *columns(("Seeds",), numbers=True, minor=True),
        *(
            Head(section.short_name(metric), is_number=True, falling=metric == ranked_by)
            for metric in metrics
        ),
        *columns((f"{name} vs centred box", f"Optimism, {name}"), numbers=True),
    )
    rows = []
    for style in styles:
        row = style.row
        minor = (
            text_cell(row["backbone"], row["weights"]),
            text_cell(row["maps"], row["selection"] and f"{row['selection']} checkpoint"),
            number_cell(row.seeds, 0),
        )
        cells = (
            *(replace(cell, minor=True) for cell in minor),
            *(_metric(section, row, metric, best[metric]) for metric in metrics),
            _difference(section.comparison(row, ranked_by)),
            number_cell(row.optimism(ranked_by), 1),
        )
        rows.append(TableRow(style.short, cells, style, section.mark(row), _under(row)))
    return Table("Metrics", heads, tuple(rows))


def _under(row: Row) -> str:
    """``small_resnet, 3 seeds``: what the minor columns say that the row's name does not."""
    seeds = f"{row.seeds} seeds" if (row.seeds or 0) > 1 else ""
    return ", ".join(part for part in (row["backbone"], seeds) if part)


def class_table(section: Section, styles: Sequence[RowStyle]) -> Table | None:
    """The metrics of single classes; None where none were measured."""
    metrics = section.class_metrics
    if not metrics:
        return None
    best = {metric: best_of(section, metric) for metric in metrics}
    heads = (*columns(("Row", "Maps")), *columns(map(section.short_name, metrics), numbers=True))
    rows = []
    for style in styles:
        figures = (_metric(section, style.row, metric, best[metric]) for metric in metrics)
        # The whole name: this table has no column of backbones to tell two rows apart.
        cells = (text_cell(style.row["maps"]), *figures)
        rows.append(TableRow(style.name, cells, style, section.mark(style.row)))
    return Table("Metrics by class", heads, tuple(rows))


def seeds_table(section: Section, styles: Sequence[RowStyle]) -> Table | None:
    """Every seed of the rows that have several, a line each; None where none has."""
    several = [style for style in styles if len(style.row.runs) > 1]
    if not several:
        return None
    metrics = _without_twins(section)
    heads = (
        *columns(("Row", "Maps")),
        *columns(("Seed", *map(section.short_name, metrics)), numbers=True),
    )
    rows = []
    for style in several:
        row, values = style.row, [style.row.values(metric) for metric in metrics]
        for place, seed in enumerate(row.seed_numbers):
            figures = (number_cell(of_metric[place], 1) for of_metric in values)
            # A seed is no quantity: no commas in it, and all its digits.
            own = Cell(str(seed), sort_key=str(seed), is_number=True)
            cells = (text_cell(row["maps"]), own, *figures)
            rows.append(TableRow(style.name, cells, style, section.mark(row)))
    return Table("Every seed", heads, tuple(rows))


def details_table(styles: Sequence[RowStyle]) -> Table:
    """What the rows cost and where they come from."""
    heads = (
        *columns(("Row",)),
        *(Head(COST_NAMES[column], bool(spelling)) for column, spelling in COST_COLUMNS.items()),
        *columns(("Images",), numbers=True),
        *columns(("Odd maps", "Commit", "Run")),
    )
    rows = [TableRow(style.name, (*_costs(style.row), *_provenance(style.row))) for style in styles]
    return Table("Cost and provenance", heads, tuple(rows))


def _costs(row: Row) -> list[Cell]:
    costs = row.costs()
    return [
        number_cell(float(costs[column]) if costs[column] else None, None)
        if spelling
        else text_cell(costs[column])
        for column, spelling in COST_COLUMNS.items()
    ]


def _provenance(row: Row) -> list[Cell]:
    records = row.records
    odd = [f"{key} {count}" for key, count in sorted(records[0].counts.items()) if count]
    commits = sorted({(record.git_commit or "")[:9] for record in records})
    return [
        number_cell(records[0].n_images, 0),
        text_cell(", ".join(odd)),
        text_cell(", ".join(commits)),
        text_cell(", ".join(record.run_id for record in records)),
    ]


def _without_twins(section: Section) -> list[str]:
    """The section's metrics. Under the oracle GT-known Loc is MaxBoxAcc: one column for both."""
    metrics = section.metrics
    if section.place[-1] != "oracle":
        return metrics
    box_accuracies = [metric for metric in metrics if metric.startswith("max_box_acc@")]
    twins = {metric.replace("max_box_acc@", "gt_known_loc@") for metric in box_accuracies}
    return [metric for metric in metrics if metric not in twins]


def best_of(section: Section, metric: str) -> float | None:
    """The best value among rows that compete: the highest, or lowest where lower is better."""
    values = [
        row.estimates[metric].value for row in section.rows if row.competes and metric in row.estimates
    ]
    said = section.specifications.get(metric)
    best = min if said is not None and said.lower_is_better else max
    return best((value for value in values if value is not None), default=None)


def _metric(section: Section, row: Row, metric: str, best: float | None) -> Cell:
    figure = row.estimates.get(metric)
    if figure is None or figure.value is None:
        return Cell(is_number=True)
    below = [] if figure.std is None else [f"± {percent(figure.std, 1)}"]
    if figure.low is not None and figure.high is not None:
        below.append(f"{percent(figure.low, 1)}\N{EN DASH}{percent(figure.high, 1)}")
    comparison = section.comparison(row, metric)
    return Cell(
        percent(figure.value, 1),
        tuple(below),
        sort_key=f"{figure.value:.6f}",
        is_number=True,
        bar=figure.value,
        best=figure.value == best and row.competes,
        marked=section.like_center(row, metric),
        tip=_said(comparison) if comparison else "",
    )


def _difference(comparison: Comparison | None) -> Cell:
    if comparison is None:
        return Cell(is_number=True)
    kind = "alike" if not comparison.distinguishable else "up" if comparison.difference > 0 else "down"
    below = [f"{_signed(comparison.low)} to {_signed(comparison.high)}"]
    if kind == "alike":
        below.append("not distinguishable")
    return Cell(
        _signed(comparison.difference),
        tuple(below),
        sort_key=f"{comparison.difference:.6f}",
        is_number=True,
        kind=kind,
        tip=_said(comparison),
    )


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
