"""The picture of a diagnosis: a panel a test, in each the rows' figures with their intervals."""

from __future__ import annotations

from pathlib import Path

from wsol.data.digits.tests import TESTS
from wsol.files.writing.atomic import replacing
from wsol.pipeline.diagnosis.diagnose import Diagnosis
from wsol.pipeline.diagnosis.profile import TestProfile
from wsol.pipeline.diagnosis.tables import name_of

COLUMNS = 4
VERDICT_COLOURS = {
    "mends": "#1a7f37",
    "worsens": "#c0392b",
    "cannot be told": "#666666",
    "not compared": "#999999",
}


def draw(diagnosis: Diagnosis, path: Path) -> Path:
    """Write the picture, whole or not at all."""
    # Matplotlib's own figure: no global state, no window.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = -(-len(diagnosis.profiles) // COLUMNS)
    figure = Figure(figsize=(3.6 * COLUMNS, 2.3 * lines), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(lines, COLUMNS, squeeze=False).ravel()
    for place, (axis, profile) in enumerate(zip(axes, diagnosis.profiles, strict=False)):
        _panel(axis, profile, diagnosis.rows, names=place % COLUMNS == 0)
    for axis in axes[len(diagnosis.profiles) :]:
        axis.set_axis_off()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
    return path


def _panel(axis, profile: TestProfile, rows: tuple[str, ...], *, names: bool) -> None:
    for at, row in enumerate(reversed(rows)):
        cell = profile.rows[row]
        colour = "#1f5fbf" if row == rows[-1] else "#222222"
        if cell.low is not None and cell.high is not None:
            axis.plot([cell.low, cell.high], [at, at], color=colour, linewidth=2, solid_capstyle="butt")
        axis.plot(cell.seeds, [at] * len(cell.seeds), "|", color=colour, markersize=9)
        axis.plot([cell.value], [at], "o", color=colour, markersize=6)
    arrow = " (lower is better)" if profile.figure.better == "low" else ""
    axis.set_title(f"{profile.name}: {name_of(profile.figure)}{arrow}", fontsize=10, loc="left", pad=18)
    axis.set_xlabel(TESTS[profile.name].exposes, fontsize=8)
    axis.set_xlim(0, 100)
    axis.set_ylim(-0.6, len(rows) - 0.4)
    axis.set_yticks(range(len(rows)), reversed(rows) if names else [""] * len(rows), fontsize=9)
    axis.tick_params(axis="x", labelsize=8)
    axis.grid(axis="x", color="#dddddd", linewidth=0.6)
    axis.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.tick_params(axis="y", length=0)
    axis.text(
        0.0,
        1.02,
        profile.verdict,
        transform=axis.transAxes,
        ha="left",
        va="bottom",
        fontsize=9,
        color=VERDICT_COLOURS[profile.verdict],
    )
