"""The run records -> docs/results.md: every table, and what paired tests say of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from comparisons import Difference, against_cam
from digits_rows import is_digits
from markdown_table import table
from methods_table import BOXES, methods_table, without_tuned
from settings import setting_lines

from wsol.board.rows.rows import Row
from wsol.board.tables.markdown import estimate_text
from wsol.board.tables.sections import Section
from wsol.files.csv_table import table_rows

COSTS = Path("benchmarks", "results", "attention.csv")

# The metrics shown, where a table has them, and what they are called here.
METRICS = {**BOXES, "rubinstein_p": "P", "rubinstein_j": "J"}

CLUTTER, BIRDS = "clutter", "CUB-200-2011, first 40 classes"
TEN_CLASSES = "ILSVRC2012, ten classes, 250 val images"
STAND_IN = "Object Discovery stand-in (Pascal co-segmentation)"

# What makes a table again, in an empty folder of results; in this one all is recorded, and kept. The
# hash of each manifest is that of the records.
COMMANDS = {
    CLUTTER: ("wsol benchmark --config configs/clutter/*.yaml --seeds 0,1,2 --results results",),
    BIRDS: (
        "# CUB40: CUB-200-2011 in its own layout, the lines and images of its first 40 classes",
        f'wsol prepare cub --root CUB40 --output manifests/cub40 --title "{BIRDS}"',
        "wsol benchmark --config configs/cub40/*.yaml --results results",
    ),
    TEN_CLASSES: (
        "# TEN: ILSVRC2012 in Kaggle's CLS-LOC layout, ten classes: 3,100 train images, 250 val images",
        f'wsol prepare imagenet --root TEN --output manifests/imagenette --title "{TEN_CLASSES}"',
        "wsol benchmark --config configs/imagenette/*.yaml --results results",
    ),
    STAND_IN: (
        "# STANDIN: Data/Airplane100, Car100 and Horse100, each with its images and GroundTruth/",
        "wsol prepare object_discovery --root STANDIN --output manifests/object_discovery_standin "
        f'--title "{STAND_IN}"',
        "wsol benchmark --config configs/object_discovery_standin/*.yaml --results results",
    ),
}

ATTENTION = (
    "TDAM and LTPA were put, new, into a network that had been pretrained without them; in their papers "
    "network and attention are trained together from the start."
)
WEIGHTS = "The weights files are named, with their SHA-256, in the recipes; put them under `weights/`."

NOTES = {
    CLUTTER: "Handwritten digits over textures, with fragments of digits as distractors. A digit always "
    "has more ink than a fragment, so this data set is for trying things out, not for claims: the "
    "picture's own brightness, *intensity*, localizes as well as the best network or better.",
    BIRDS: f"{ATTENTION} {WEIGHTS}",
    TEN_CLASSES: f"The images of this copy are squashed to 224 x 224 pixels. {WEIGHTS}",
    STAND_IN: "Not the published data set: its layout, with images and masks of the Pascal "
    f"co-segmentation set. Nothing here compares with published figures. {ATTENTION} {WEIGHTS}",
}

HEAD = """---
hide: [navigation]
---

# Results

*This page is generated from the run records by `python docs/generate`: no figure is typed by hand.*

What stands here was measured by this suite; [digits](digits-results.md) has a page of its own. What
papers report is in `results/published.csv` and never stands in one table with it.

How to read the tables:

- Numbers are percent, and they compare within one table and nowhere else.
- One seed: the value, and in brackets its 95 % interval over images. It speaks of that checkpoint.
- Several seeds: mean ± standard deviation over seeds. Below five seeds there is no interval.
- *Italic* rows are baselines that every localizer has to beat. *center* is a centred box, *features* the
  mean of a network's last features, *intensity* the picture's own brightness.
- ≈ marks a figure that these images cannot tell from that of the centred box (paired test, p ≥ 0.05,
  not corrected for the number of rows).
- Thresholds are the best on the scored images, for every row and baseline alike.
- Every network was trained and scored on a CPU with one thread (`how.threads`, the default). With
  another number of threads the same seed gives other figures.
- Every metric, interval and cost is in `results/leaderboard.csv`.
"""

MODULES_HEAD = """## Every module

Each attention module beside the same network without attention, *none*, and beside *plain*: a module
with as many parameters as RFGA, and no attention. All figures are those of the class maps (CAM); what a
module's own maps score stands in the tables above. On clutter: mean ± standard deviation over the seeds.
An arrow after a figure of MaxBoxAcc .5 is the paired test against *none*, corrected after Holm: ↑
better, ↓ worse, no arrow not distinguishable. It speaks of these checkpoints. The settings of the rows,
and which rows have another one, stand above.

LTPA's class maps are spikes by construction; its scores are the maps to look at.

The cost is that of the module in ResNet50 with 1000 classes: parameters, multiply-adds, and the time of
a forward and a backward pass as multiples of the bare network's.
"""


def results_page(root: Path, sections: Sequence[Section]) -> str:
    """The whole page but for digits, which has its own; the same records give the same bytes."""
    whole = [section for section in sections if not is_digits(section)]
    sections = [without_tuned(section) for section in whole]
    differences = {section.place[0]: against_cam(section) for section in sections}
    parts = [HEAD]
    for every, section in zip(whole, sections, strict=True):
        parts += [_section(section, differences[section.place[0]]), *methods_table(root, every)]
    return "\n".join([*parts, _modules(root, sections, differences)])


def _section(section: Section, differences: Sequence[Difference]) -> str:
    dataset = section.place[0]
    facts = [*section.facts(), *setting_lines(section.rows), *_findings(section, differences)]
    keys = [key for key in METRICS if key in section.metrics]
    of_class = [key for key in section.class_metrics if key.startswith("rubinstein_j:")]
    head = ["network", "attention", "map", "seeds", *map(_heading, [*keys, *of_class])]
    rows = (
        [*_names(row), *(_figure(section, row, key) for key in [*keys, *of_class])]
        for row in section.rows
    )
    parts = [f"## {section.title}", ""]
    if dataset in NOTES:
        parts += [NOTES[dataset], ""]
    parts += [
        *(fact if fact.startswith(" ") else f"- {fact}" for fact in facts),
        "",
        table(head, rows, left=3),
    ]
    if dataset in COMMANDS:
        parts += ["```bash", *COMMANDS[dataset], "```", ""]
    return "\n".join(parts)


def _heading(metric: str) -> str:
    """``J``, or ``J Horse`` for that of a class."""
    of_all, _, of_class = metric.partition(":")
    return f"{METRICS.get(of_all, of_all)} {of_class}".strip()


def _names(row: Row) -> list[str]:
    texts = [row["backbone"], row["attention"], row["maps"]]
    slant = "*" if row.is_baseline else ""
    seeds = "" if row.seeds is None else str(row.seeds)
    return [*(f"{slant}{text}{slant}" if text else "" for text in texts), seeds]


def _figure(section: Section, row: Row, metric: str) -> str:
    text = estimate_text(row.estimates.get(metric))
    if metric != section.ranked_by:  # one interval a row keeps the table readable
        text = text.partition(" [")[0]
    return f"≈ {text}" if text and section.like_center(row, metric) else text


def _findings(section: Section, differences: Sequence[Difference]) -> list[str]:
    if not differences:
        return []
    images = differences[0].comparison.n_images
    seeds = sorted({one.row.seeds or 1 for one in differences})
    groups = {"better": [], "worse": [], "not distinguishable": []}
    for one in differences:
        change = one.comparison.difference
        verdict = "not distinguishable" if not one.holds else "better" if change > 0 else "worse"
        groups[verdict].append(f"{one.row['attention']} ({change:+.1f})")
    over = " and ".join(map(str, seeds)) + (" seed" if seeds == [1] else " seeds")
    return [
        f"Class maps of each module against those without attention in {_heading(section.ranked_by)}, "
        f"paired over {images:,} images, {len(differences)} comparisons corrected after Holm "
        f"(points of difference in brackets; {over}: this speaks of these checkpoints, not of methods):",
        *(f"    - {verdict}: {', '.join(names) or 'none'}." for verdict, names in groups.items()),
    ]


def _modules(root: Path, sections: Sequence[Section], differences: dict[str, list[Difference]]) -> str:
    by_name = {section.place[0]: _class_maps(section) for section in sections}
    clutter, birds = by_name.get(CLUTTER, {}), by_name.get(BIRDS, {})
    text = (root / COSTS).read_text("utf-8")
    told = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("#")]
    (_, columns), *lines = table_rows(line for line in text.splitlines() if not line.startswith("#"))
    costs = [dict(zip(columns, cells, strict=True)) for _, cells in lines]
    rows = []
    for cost in costs:
        name = cost["attention"]
        shown = f"*{name}*" if name in ("none", "plain") else name
        figures = [_plain_figure(clutter.get(name), "top1_acc")]
        figures.append(_signed(clutter.get(name), differences.get(CLUTTER, [])))
        figures.append(_plain_figure(clutter.get(name), "max_box_acc@0.7"))
        figures.append(_plain_figure(birds.get(name), "top1_acc"))
        figures.append(_signed(birds.get(name), differences.get(BIRDS, [])))
        rows.append([shown, *list(cost.values())[1:], *figures])
    head = ["attention", "params M", "GFLOPs", "forward", "backward", "clutter Top-1 acc", "clutter .5"]
    head += ["clutter .7", "birds Top-1 acc", "birds .5"]
    notes = [f"`{told[0]}`", *told[1:], *_labels({CLUTTER: clutter, "the birds": birds})]
    return "\n".join([MODULES_HEAD, *(f"- {note}" for note in notes), "", table(head, rows, left=1)])


def _class_maps(section: Section) -> dict[str, Row]:
    """By the module's plain name, the row of its class maps on the network that has most modules."""
    rows = [row for row in section.rows if row["maps"] == "cam"]
    networks = [row["backbone"] for row in rows]
    most = max(sorted(set(networks)), key=networks.count, default="")
    return {_name(row): row for row in rows if row["backbone"] == most}


def _name(row: Row) -> str:
    return row["attention"].partition("(")[0].partition("@")[0]


def _labels(columns: dict[str, dict[str, Row]]) -> list[str]:
    """Which rows have another place or other options than their module's defaults."""
    return [
        f"{name} on {title} is {row['attention']}."
        for title, rows in columns.items()
        for name, row in sorted(rows.items())
        if row["attention"] != name
    ]


def _plain_figure(row: Row | None, metric: str) -> str:
    return estimate_text(row.estimates.get(metric)).partition(" [")[0] if row else ""


def _signed(row: Row | None, differences: Sequence[Difference]) -> str:
    text = _plain_figure(row, "max_box_acc@0.5")
    for one in differences:
        if row is not None and one.row.key == row.key and one.holds:
            return f"{text} {'↑' if one.comparison.difference > 0 else '↓'}"
    return text
