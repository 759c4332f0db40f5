"""What robustness leaves: a table as CSV, and its curves over epsilon as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from wsol.files.csv_table import write_csv
from wsol.files.writing.atomic import replacing
from wsol.pipeline.robustness.robustness import CLEAN, FIGURES, GT_KNOWN, Attacked

BOUNDS = ("value", "low", "high")
COLUMNS = (
    *("run", "maps", "attack", "epsilon", "images", "threshold", "top1_acc_relative"),
    *(key if bound == "value" else f"{key}_{bound}" for key in FIGURES for bound in BOUNDS),
    *("steps", "step_size", "restarts"),
)
LINES = {"fgsm": "--", "pgd": "-"}


def write_table(rows: Sequence[Attacked], path: Path) -> Path:
    """Write a line a run, maps, attack and epsilon; what cannot be computed is empty."""
    return write_csv(path, COLUMNS, [cells(row) for row in rows])


def cells(row: Attacked) -> list[str]:
    """A row's cells under `COLUMNS`; percent, epsilon and step size in 1/255."""
    attack = row.attack
    pgd = ["", "", ""]
    if attack is not None and attack.name == "pgd":
        pgd = [str(attack.steps), f"{attack.step:g}", str(attack.restarts)]
    figures = [row.figures[key][bound] for key in FIGURES for bound in BOUNDS]
    return [
        *(row.run, row.maps, row.name, f"{row.epsilon:g}", str(row.images)),
        "" if row.threshold is None else f"{row.threshold:.4f}",
        _number(row.relative),
        *map(_number, figures),
        *pgd,
    ]


def draw(rows: Sequence[Attacked], path: Path) -> Path:
    """Write the curves, whole or not at all: accuracy relative to clean, and localization."""
    # Matplotlib's own figure: no global state, no window.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    accuracy, boxes = figure.subplots(1, 2)
    lines = _lines(rows)
    colours = {line[:2]: f"C{place}" for place, line in enumerate(dict.fromkeys(k[:2] for k in lines))}
    for (run, maps, attack), points in lines.items():
        style = {"color": colours[run, maps], "linestyle": LINES[attack], "marker": "o", "markersize": 4}
        epsilons = [point.epsilon for point in points]
        label = f"{run}, {maps}, {attack.upper()}"
        accuracy.plot(epsilons, [point.relative for point in points], label=label, **style)
        located = [point.figures[GT_KNOWN] for point in points]
        boxes.plot(epsilons, [_plotted(one, "value") for one in located], label=label, **style)
        boxes.fill_between(
            epsilons,
            [_plotted(one, "low") for one in located],
            [_plotted(one, "high") for one in located],
            color=colours[run, maps],
            alpha=0.1,
            linewidth=0,
        )
    accuracy.set_title("Top-1 accuracy, % of that on clean images", fontsize=10, loc="left")
    boxes.set_title("GT-known Loc .5 at the clean threshold, %", fontsize=10, loc="left")
    for axis in (accuracy, boxes):
        axis.set_xlabel("epsilon (1/255 of a pixel's range)", fontsize=9)
        axis.set_ylim(0, None)
        axis.grid(color="#dddddd", linewidth=0.6)
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    handles, labels = accuracy.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", fontsize=8, ncols=2, frameon=False)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
    return path


def _lines(rows: Sequence[Attacked]) -> dict[tuple[str, str, str], list[Attacked]]:
    """By run, maps and attack the points of a line, by rising epsilon; all begin at the clean one."""
    clean = {(row.run, row.maps): row for row in rows if row.name == CLEAN}
    lines: dict[tuple[str, str, str], list[Attacked]] = {}
    for row in rows:
        if row.name != CLEAN:
            key = (row.run, row.maps, row.name)
            lines.setdefault(key, [clean[row.run, row.maps]]).append(row)
    return {key: sorted(points, key=lambda one: one.epsilon) for key, points in lines.items()}


def _plotted(figure: Mapping[str, float | None], bound: str) -> float:
    value = figure[bound]
    return float("nan") if value is None else value


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
