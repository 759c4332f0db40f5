"""Methods at learning rates of their own choice -> a table, and what paired tests say of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparisons import holm
from markdown_table import table

from wsol.board.comparison.image_scores import row_scores
from wsol.board.comparison.paired import compare
from wsol.board.rows.rows import Row
from wsol.board.runs.reading import StoredRun
from wsol.board.tables.markdown import estimate_text
from wsol.board.tables.sections import Section, sections
from wsol.files.csv_table import table_rows
from wsol.scores.comparison.comparison import Comparison

TRIALS = Path("benchmarks", "results", "learning_rates.csv")
# The metrics of boxes, and what tables call them.
BOXES = {
    "top1_acc": "Top-1 acc",
    "max_box_acc@0.3": "MaxBoxAcc .3",
    "max_box_acc@0.5": "MaxBoxAcc .5",
    "max_box_acc@0.7": "MaxBoxAcc .7",
    "max_box_acc_v2": "MaxBoxAccV2",
}
RANKED = "max_box_acc@0.5"

TEXT = """## Methods on {title}

The reference's methods on one network, one budget, {seeds}. The learning rates of each row are {rates}
times the recipe's, whichever its own top-1 on val was best with; that reads labels and no boxes
(`tuning_trials` in the records). All rows are read by their class maps and scored on the {images} test
images at the best thresholds there. *minus CAM*: the paired test over images in MaxBoxAcc .5, the means
over seeds of each image compared; ↑ better, ↓ worse after Holm's correction. It speaks of these
networks.

HaS hides cells of 4 pixels, half of them, which are wsolevaluation's defaults (its own rows searched
both): no network of that row sees a whole image in training, and few whole ones are classified rightly.
"""


def tuned(run: StoredRun) -> bool:
    """Whether trials chose the settings of the run."""
    return bool(run.record.recipe["how"].get("tuning_trials"))


def without_tuned(section: Section) -> Section:
    """The table without the runs of that of methods, ranked anew.

    A row of both keeps its other seeds.
    """
    if not any(tuned(run) for row in section.rows for run in row.runs):
        return section
    rows = [
        dataclasses.replace(row, runs=tuple(run for run in row.runs if not tuned(run)))
        for row in section.rows
    ]
    (own,) = sections([row for row in rows if row.runs])
    return own


def methods_table(root: Path, section: Section) -> list[str]:
    """The section of the rows that trials chose, best first; none where there are no such rows."""
    rows = [row for row in section.rows if row["maps"] == "cam" and any(map(tuned, row.runs))]
    if not rows:
        return []
    plain = next(row for row in rows if method(row) == "CAM")
    found = {row.key: _against(row, plain) for row in rows if row is not plain}
    kept = dict(zip(found, holm([one.p_value for one in found.values()]), strict=True))
    head = ["method", "learning rate", *BOXES.values(), "minus CAM", "by seed", "params M"]
    lines = []
    for row in rows:
        costs = row.costs()
        figures = [estimate_text(row.estimates.get(key)).partition(" [")[0] for key in BOXES]
        change = ""
        if one := found.get(row.key):
            change = f"{one.difference:+.1f} [{one.low:+.1f}, {one.high:+.1f}]"
            if kept[row.key]:
                change += " ↑" if one.difference > 0 else " ↓"
        pairs = zip(_figures(row), _figures(plain), strict=True)
        by_seed = ", ".join(f"{own - cam:+.1f}" for own, cam in pairs if row is not plain)
        params = f"{float(costs['params']) / 1e6:.3f}"
        lines.append([method(row), costs["lr"], *figures, change, by_seed, params])
    factors, told = _trials(root)
    seeds = sorted({seed for row in rows for seed in row.seed_numbers if seed is not None})
    text = TEXT.format(
        title=section.title,
        seeds=f"seeds {', '.join(map(str, seeds))}",
        rates=f"{', '.join(factors[:-1])} or {factors[-1]}",
        images=f"{rows[0].records[0].n_images:,}",
    )
    return [text, *cpus(rows), table(head, lines, left=1), *told]


def method(row: Row) -> str:
    """What people call it: ADL is an attention module here."""
    names = {"cam": "CAM", "has": "HaS", "cutmix": "CutMix", "acol": "ACoL", "spg": "SPG"}
    attention = row["attention"]
    return names[row["method"].partition("(")[0]] if attention == "none" else attention.upper()


def cpus(rows: Sequence[Row]) -> list[str]:
    """Which rows say what kind of CPU trained them, where not all say the same one."""
    named: dict[str, list[str]] = {}
    for row in rows:
        for cpu in {str(run["how"]["training"].get("cpu", "")) for run in _recipes(row)}:
            named.setdefault(cpu, []).append(method(row))
    if len(named) < 2:
        return []
    told = [f"{', '.join(own)} ({cpu})" for cpu, own in sorted(named.items()) if cpu]
    rest = " The records of the others do not say on which." if "" in named else ""
    return [f"Kinds of CPU round otherwise; here trained: {'; '.join(told)}.{rest}\n"]


def _recipes(row: Row) -> list[Mapping[str, Any]]:
    return [run.record.recipe for run in row.runs]


def _against(row: Row, plain: Row) -> Comparison:
    mine, theirs = row_scores(row), row_scores(plain)
    if mine is None or theirs is None or list(mine.image_ids) != list(theirs.image_ids):
        raise SystemExit(f"{row['method']}: the arrays of its records are not of CAM's images")
    return compare(mine.by_metric[RANKED], theirs.by_metric[RANKED])


def _figures(row: Row) -> list[float]:
    """The ranked metric of each seed."""
    return [value for value in row.values(RANKED) if value is not None]


def _trials(root: Path) -> tuple[list[str], list[str]]:
    """The multiples that were tried; and as text what they took, and top-1 on val at each.

    Of each method the chosen one is bold.
    """
    text = (root / TRIALS).read_text("utf-8").splitlines()
    command = next(line for line in text if line.startswith("#")).removeprefix("# ")
    (_, columns), *rows = table_rows(line for line in text if not line.startswith("#"))
    lines = [dict(zip(columns, cells, strict=True)) for _, cells in rows]
    factors = list(dict.fromkeys(line["multiple"] for line in lines))
    by_name: dict[str, list[str]] = {}
    for line in lines:
        value = f"**{line['val top-1']}**" if line["chosen"] else line["val top-1"]
        by_name.setdefault(line["recipe"].rpartition("_")[2], []).append(value)
    hours = sum(float(line["hours"]) for line in lines)
    told = (
        f"{len(lines)} trials chose the rates, in {hours:.1f} hours of training (one thread each, two "
        f"at a time, beside other work); top-1 on val at each multiple of the recipe's rates:"
    )
    head = ["recipe", *(f"x {factor}" for factor in factors)]
    values = table(head, ([name, *own] for name, own in by_name.items()), left=1)
    return factors, [told, "", f"`{command}`", "", values]
