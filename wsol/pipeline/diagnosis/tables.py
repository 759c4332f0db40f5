"""A diagnosis as a table for people, and as a CSV of every figure of every record."""

from __future__ import annotations

import math
from collections.abc import Sequence

from wsol.pipeline.diagnosis.diagnose import Diagnosis
from wsol.pipeline.diagnosis.figures import Figure
from wsol.pipeline.diagnosis.profile import RowFigure, TestProfile
from wsol.pipeline.diagnosis.sentences import claim, sentences
from wsol.scores.metrics import specifications_of
from wsol.scores.protocol import protocol_named

COLUMNS = ("test", "row", "seed", "maps", "metric", "value", "low", "high", "run_id")


def head(diagnosis: Diagnosis) -> list[str]:
    """The head of the table."""
    minus = [f"{diagnosis.module} minus CAM", "p (Holm)", ""]
    return ["test", "figure", *diagnosis.rows, *minus]


def table(diagnosis: Diagnosis) -> list[list[str]]:
    """A row a test, as text."""
    return [_cells(profile, diagnosis.rows) for profile in diagnosis.profiles]


def markdown(diagnosis: Diagnosis) -> str:
    """The table, the sentences, and what they are about."""
    first, rows = head(diagnosis), table(diagnosis)
    lines = [f"| {' | '.join(cells)} |" for cells in (first, ["---"] * len(first), *rows)]
    told = [
        *sentences(diagnosis.profiles, diagnosis.module),
        claim(len(diagnosis.seeds), small=diagnosis.small),
    ]
    return "\n".join(
        [f"# {diagnosis.module}: what it mends", "", *told, "", *lines, "", *_notes(diagnosis), ""]
    )


def figures(diagnosis: Diagnosis) -> list[tuple[object, ...]]:
    """A line a figure of a record, under `COLUMNS`."""
    found = []
    for images, by_row in diagnosis.runs.items():
        for row, runs in by_row.items():
            for seed, run in zip(diagnosis.seeds, runs, strict=True):
                record = run.record
                found += [
                    (images, row, seed, record.maps, key, *_numbers(entry), record.run_id)
                    for key, entry in record.metrics.items()
                    if entry["value"] is not None
                ]
    return found


def name_of(figure: Figure) -> str:
    """What tables call a figure: ``MaxBoxAcc .7``."""
    protocol = protocol_named("halfopen")
    return specifications_of([figure.key], protocol.describe())[figure.key].name


def _numbers(entry: dict[str, float | None]) -> list[str]:
    numbers = [entry["value"], entry["low"], entry["high"]]
    return ["" if value is None else f"{value:.2f}" for value in numbers]


def _cells(profile: TestProfile, rows: Sequence[str]) -> list[str]:
    against = profile.against_cam
    low_is_better = " (lower is better)" if profile.figure.better == "low" else ""
    said = ["", ""]
    if against is not None and profile.p_value is not None:
        said = [
            f"{against.difference:+.1f} [{against.low:.1f}, {against.high:.1f}]",
            f"{profile.p_value:.3f}",
        ]
    figures = [_figure(profile.rows[row]) for row in rows]
    return [profile.name, name_of(profile.figure) + low_is_better, *figures, *said, profile.verdict]


def _figure(cell: RowFigure) -> str:
    if math.isnan(cell.value):
        return ""  # what cannot be computed is empty, never 0
    if len(cell.seeds) > 1:
        return f"{cell.value:.1f} ({', '.join(f'{value:.1f}' for value in cell.seeds)})"
    if cell.low is None or cell.high is None:
        return f"{cell.value:.1f}"
    return f"{cell.value:.1f} [{cell.low:.1f}, {cell.high:.1f}]"


def _notes(diagnosis: Diagnosis) -> list[str]:
    brackets = "Brackets hold 95 % intervals over images"
    if len(diagnosis.seeds) > 1:
        brackets = "In parentheses each seed; brackets hold 95 % intervals over images"
    compared = sum(one.p_value is not None for one in diagnosis.profiles)
    return [
        f"{brackets}; p is of the paired test against CAM, whose resamples choose every threshold anew, "
        f"after Holm's correction over {compared} tests. Everything else is descriptive."
    ]
