"""Tables of digits over all modules, and of what needs no module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from digits_rows import CAM, CONTROL, FLOAT32, USUAL, DigitsRows, images_of
from digits_verdicts import Tests
from markdown_table import table

from wsol.board.rows.seeds import Estimate
from wsol.board.tables.markdown import estimate_text
from wsol.files.csv_table import table_rows
from wsol.pipeline.diagnosis.figures import PRIMARY, Figure
from wsol.pipeline.diagnosis.tables import name_of

MEMORY = Path("benchmarks", "results", "training_memory.csv")
CONTROLS = Path("results", "controls.csv")
BASELINES = ("features", "intensity", "intensity:blurred", "intensity:component", "center")
BOUNDS = ("object mask, cells", "network supervised by masks", "untrained network")
# Only those rows are trained on context that are looked at closely.
OF_ALL = [figure for figure in PRIMARY if figure.test != "context"]
# Where accuracy stands before the figure, and what it is called.
TOP1 = {"base": ["top-1"], "parts": ["top-1 parts"]}
SIGNS = {"better": " ↑", "worse": " ↓"}
IN_FLOAT32 = " †"
NO_ATTENTION = """What needs no attention, on the same images. *features* is the mean of CAM's last
features, *intensity* the picture's own brightness, blurred to 8 x 8, or its largest component. Bounds,
from `results/controls.md`: an ideal mask of 8 x 8 cells, and a network trained with masks.
"""
PRECISIONS = """What precision alone changes: these rows were trained in both, from the same starts. From
the first step on the two round differently, as two kinds of CPU do.
"""


def every_module(root: Path, rows: DigitsRows, tests: Tests, *, short: bool = False) -> str:
    """A row a module: accuracies, figures with their marks, what it costs; ``short``: means alone."""
    memory = _memory(root)
    lines = [
        [*cells_of(rows, tests, name, short=short), *memory.get(name, ["", ""])[short:]]
        for name in rows.attentions
    ]
    return table([*_heads("attention", short=short), *["params M", "memory MB"][short:]], lines, left=1)


def in_short(rows: DigitsRows, tests: Tests) -> str:
    """Of each test which modules are better than CAM, how many are not, and what the control is."""
    others = [name for name in rows.attentions if name != CAM]
    verdicts = {
        name: {one.figure.test: one.verdict for one in tests.judged(rows, name)} for name in others
    }
    lines = []
    for figure in OF_ALL:
        found = {name: verdicts[name][figure.test] for name in others}
        control = found.pop(CONTROL, "")
        better = ", ".join(name for name, verdict in found.items() if verdict == "better")
        counted = Counter(found.values())
        untold = counted["cannot be told"] + counted["seeds disagree"]
        numbers = (counted["worse"], untold, counted["not compared"])
        lines.append([head_of(figure), better or "none", *map(str, numbers), control])
    heads = ["test", "better than CAM", "worse", "not told", "classify otherwise", shown(CONTROL)]
    return table(heads, lines, left=2)


def every_row(rows: DigitsRows, tests: Tests, names: Sequence[str], head: str) -> str:
    """A row a name, without what it costs."""
    return table(_heads(head), [cells_of(rows, tests, name) for name in names], left=1)


def cells_of(rows: DigitsRows, tests: Tests, name: str, *, short: bool = False) -> list[str]:
    """A row's name, accuracies, and figures with their marks."""
    marks = marks_of(rows, tests, name)
    cells = [shown(name)]
    for figure in OF_ALL:
        text = plain(rows.estimate(images_of(figure), figure.key, name))
        own = [_marked(rows, figure, name, text.partition(" ±")[0] if short else text, marks)]
        if figure.test in TOP1:
            top1 = plain(rows.estimate(images_of(figure), "top1_acc", name))
            own = own if short else [top1, *own]
            if own[0] and rows.precision(images_of(figure), name) == FLOAT32:
                own[0] += IN_FLOAT32
        cells += own
    return cells


def _heads(first: str, *, short: bool = False) -> list[str]:
    figures = [[*([] if short else TOP1.get(one.test, [])), head_of(one)] for one in OF_ALL]
    return [first, *(name for own in figures for name in own)]


def both_precisions(rows: DigitsRows) -> str:
    """The rows that were trained in either precision, one under the other."""
    lines = []
    for name in rows.in_both:
        for precision in (USUAL, FLOAT32):
            cells = [shown(name), precision]
            for figure in OF_ALL:
                keys = ["top1_acc", figure.key] if figure.test in TOP1 else [figure.key]
                for key in keys:
                    found = rows.estimate(images_of(figure), key, name, precision=precision)
                    cells.append(plain(found))
            lines.append(cells)
    head, *figures = _heads("attention")
    return "\n".join([PRECISIONS, table([head, "precision", *figures], lines, left=2)])


def without_attention(root: Path, rows: DigitsRows) -> str:
    """What every row should beat, and what none can."""
    lines = []
    for maps in BASELINES:
        attention = CAM if maps == "features" else ""
        found = [plain(rows.estimate(images_of(one), one.key, attention, maps)) for one in OF_ALL]
        lines.append([maps, *found])
    _, *controls = table_rows((root / CONTROLS).read_text("utf-8").splitlines())
    values = {(cells[0], cells[2], cells[3]): f"{float(cells[4]):.1f}" for _, cells in controls}
    lines += [
        [name, *(values.get((name, one.images.variant, one.key), "") for one in OF_ALL)]
        for name in BOUNDS
    ]
    return "\n".join([NO_ATTENTION, table(["maps", *map(head_of, OF_ALL)], lines, left=1)])


def head_of(figure: Figure) -> str:
    """``base .5``, ``several F1 .5``."""
    return f"{figure.test} {name_of(figure).removeprefix('MaxBoxAcc ').removeprefix('Instance ')}"


def shown(attention: str) -> str:
    """What tables call a row."""
    return {CAM: "*none* (CAM)", CONTROL: "*plain*"}.get(attention, attention)


def plain(found: Estimate | None) -> str:
    """Mean and deviation; a baseline's value without its interval."""
    return estimate_text(found).partition(" [")[0]


def marks_of(rows: DigitsRows, tests: Tests, attention: str) -> dict[str, str]:
    """An arrow for each test on which the row is better or worse than CAM."""
    return {one.figure.test: SIGNS.get(one.verdict, "") for one in tests.judged(rows, attention)}


def _marked(rows: DigitsRows, figure: Figure, attention: str, text: str, marks: dict[str, str]) -> str:
    if not text:
        return ""
    alike = attention == CAM or rows.comparable(figure, attention)
    return (text if alike else f"({text})") + marks[figure.test]


def _memory(root: Path) -> dict[str, list[str]]:
    """Parameters and memory of training by attention."""
    text = (root / MEMORY).read_text("utf-8").splitlines()
    _, *found = table_rows(line for line in text if not line.startswith("#"))
    return {cells[0]: cells[1:] for _, cells in found}
