"""What benchmarks found with networks of their own: what each test tells apart, and other drawings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev

from markdown_table import table

from wsol.files.csv_table import table_rows
from wsol.pipeline.diagnosis.figures import PRIMARY
from wsol.pipeline.diagnosis.tables import name_of

VALIDITY = Path("results", "validity.csv")
DRAWN = Path("benchmarks", "results", "digits_generator_seeds.csv")
TRAINED = 90  # top-1 under which a network is told by name
LOOKED_AT = ("0", "1", "2")  # by these seeds the settings of the tests were chosen

APART = """## Whether networks are told apart

For each test a network that should fail it, and one that should not. The settings of the tests were
chosen by seeds 0 to 2; seeds 3 to 5 nobody had looked at. *Apart*: in how many seeds the failing one is
the worse. All are trained in {precision} on a CPU with AMX, which rounds otherwise than those of the
tables above: CAM's figures are of other networks than there (`results/validity.csv`; why each should
fail: `benchmarks/digits_validity.py`).
"""

DRAWINGS = """## Other drawings

CAM where the generator has drawn other images, to train on and to score, from the same digits and
textures: mean ± standard deviation over the training seeds of each drawing, in {precision} on the CPU of
the table before. *Between*: the standard deviation of the three means, and in parentheses how large
training seeds alone would make it (`benchmarks/results/digits_generator_seeds.csv`).
"""

Line = Mapping[str, str]


def told_apart(root: Path) -> list[str]:
    """The section on seeds that were looked at and those that were not; none without its file."""
    lines = _read(root / VALIDITY)
    cells: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        cells[line["test"], line["which"]].append(line)
    rows = []
    for images in dict.fromkeys(line["test"] for line in lines):
        figure = next(one for one in PRIMARY if one.test == images.partition(" ")[0])
        fails, stands = (cells[images, which] for which in ("fails", "stands"))
        name = name_of(figure) + (", lower is better" if figure.better == "low" else "")
        told = [text for one in (fails, stands) for text in (one[0]["reading"], *_by_seed(one))]
        rows.append([images, name, *told, _apart(fails, stands, figure.better)])
    head = ["test", "figure"]
    for which in ("should fail", "should not"):
        head += [which, "seeds 0 to 2", "seeds 3 to 5"]
    shown = table([*head, "apart"], rows, left=2)
    return [APART.format(precision=_precision(lines)), shown] if rows else []


def drawings(root: Path) -> list[str]:
    """The section on three drawings of the images; none without its file."""
    lines = _read(root / DRAWN)
    rows = []
    for figure in PRIMARY:
        of_drawing: dict[str, list[float]] = defaultdict(list)
        for line in lines:
            if line["test"] == figure.test:
                of_drawing[line["generator_seed"]].append(float(line["value"]))
        if of_drawing:
            values = [of_drawing[seed] for seed in sorted(of_drawing)]
            by_chance = mean(stdev(one) ** 2 / len(one) for one in values) ** 0.5
            between = f"{stdev(map(mean, values)):.1f} ({by_chance:.1f})"
            cells = [f"{mean(one):.1f} ± {stdev(one):.1f}" for one in values]
            rows.append([figure.test, name_of(figure), *cells, between])
    head = ["test", "figure", *(f"drawing {seed}" for seed in range(3)), "between"]
    if not rows:
        return []
    poor = [line for line in lines if float(line["top1"]) < TRAINED]
    told = [
        "{test}, drawing {generator_seed}, seed {training_seed} ({top1})".format(**line) for line in poor
    ]
    shown = [DRAWINGS.format(precision=_precision(lines)), table(head, rows, left=2)]
    return [*shown, f"Of a top-1 under {TRAINED}: {'; '.join(told)}.\n"] if told else shown


def _read(csv: Path) -> list[Line]:
    if not csv.exists():
        return []
    text = csv.read_text("utf-8").splitlines()
    (_, columns), *found = table_rows(line for line in text if not line.startswith("#"))
    return [dict(zip(columns, cells, strict=True)) for _, cells in found]


def _by_seed(lines: Sequence[Line]) -> tuple[str, str]:
    """The values of the seeds that were looked at, and of the others."""
    looked_at = [line["value"] for line in lines if line["seed"] in LOOKED_AT]
    others = [line["value"] for line in lines if line["seed"] not in LOOKED_AT]
    return ", ".join(looked_at), ", ".join(others)


def _apart(fails: Sequence[Line], stands: Sequence[Line], better: str) -> str:
    """In how many of the seeds the one that should fail is the worse."""
    good = {line["seed"]: float(line["value"]) for line in stands}
    sign = 1 if better == "high" else -1
    gaps = [sign * (good[line["seed"]] - float(line["value"])) for line in fails]
    return f"{sum(gap > 0 for gap in gaps)} of {len(gaps)}"


def _precision(lines: Sequence[Line]) -> str:
    return " and ".join(sorted({line["precision"] for line in lines}))
