"""RFGA, TDAM and LTPA looked at closely: every test, ablations, TDAM's steps."""

from __future__ import annotations

from pathlib import Path

from digits_rows import CAM, CONTROL, FLOAT32, DigitsRows, images_of
from digits_tables import IN_FLOAT32, OF_ALL, head_of, plain
from digits_verdicts import PairedTest, Tests
from markdown_table import table, table_of

from wsol.pipeline.diagnosis.figures import CLOSELY, PRIMARY, Figure
from wsol.pipeline.diagnosis.tables import name_of

STEPS = Path("benchmarks", "results", "tdam_steps.csv")
TITLES = {"rfga": "RFGA", "tdam": "TDAM", "ltpa": "LTPA"}
SENTENCES = {
    "better": "{} is better than CAM on",
    "worse": "{} is worse than CAM on",
    "seeds disagree": "The test tells these networks apart, but the seeds disagree, on",
    "cannot be told": "It cannot be told on",
    "not compared": "Not compared, since it classifies otherwise:",
    "not scored": "Not scored:",
}
ABLATIONS = """In parentheses the difference from RFGA. `grain=coarse` is one gate for a channel and one
for a position, with as many parameters: what the paper calls coarse, in our reading. The others leave
a view out. What has a † was trained in float32, and is compared with RFGA in float32.
"""


def close_looks(root: Path, rows: DigitsRows, tests: Tests) -> list[str]:
    """A part of the page each."""
    parts = []
    for attention, title in TITLES.items():
        parts += [f"### {title}", "", paragraph(rows, tests, attention), ""]
        parts += [_every_test(rows, tests, attention)]
        if attention == "rfga" and rows.ablations:
            parts += [parts_of_rfga(rows, tests)]
        if attention == "tdam" and (root / STEPS).exists():
            told, shown = table_of(root / STEPS, left=4)
            parts += ["#### Does its box move?", "", *told, "", shown]
    return parts


def paragraph(rows: DigitsRows, tests: Tests, attention: str) -> str:
    """What is known of a row against CAM, by rules."""
    groups: dict[str, list[str]] = {}
    for one in tests.judged(rows, attention):
        said = one.figure.test
        top1 = rows.top1(one.figure, attention)
        if one.test is not None:
            said += f" ({_difference(one.test)})"
        elif one.verdict == "not compared" and top1 is not None:
            said += f" (top-1 {top1:.1f} against {rows.top1(one.figure, CAM):.1f})"
        groups.setdefault(one.verdict, []).append(said)
    told = [
        f"{words.format(TITLES[attention])} {', '.join(groups[verdict])}."
        for verdict, words in SENTENCES.items()
        if verdict in groups
    ]
    if "better" in groups:
        beats = [
            one.figure.test
            for one in tests.judged(rows, attention)
            if one.verdict == "better" and _beats_control(rows, tests, attention, one.figure)
        ]
        told.insert(
            1,
            f"Of these it is better than the control as well on {', '.join(beats)}."
            if beats
            else "On not one of these is it better than the control as well.",
        )
    return " ".join(told)


def _beats_control(rows: DigitsRows, tests: Tests, attention: str, figure: Figure) -> bool:
    """Whether a gain is more than as many parameters without attention give."""
    test = tests.one(rows, figure, attention, CONTROL)
    if test is None or not test.agreed:
        return False
    return test.low > 0 if figure.better == "high" else test.high < 0


def _every_test(rows: DigitsRows, tests: Tests, attention: str) -> str:
    judged = {images_of(one.figure): one for one in tests.judged(rows, attention)}
    lines = []
    for figure in (*PRIMARY, *CLOSELY):
        images = images_of(figure)
        one, test = judged.get(images), tests.one(rows, figure, attention)
        compared = (CAM, CONTROL, attention)
        cells = [plain(rows.estimate(images, figure.key, row)) for row in compared]
        name = name_of(figure) + (", lower is better" if figure.better == "low" else "")
        lines.append(
            [
                images.removeprefix("digits "),
                name,
                *cells,
                _difference(test),
                "" if test is None else ", ".join(f"{value:+.1f}" for value in test.by_seed),
                "" if one is None or one.p_value is None else f"{one.p_value:.3f}",
                _difference(tests.one(rows, figure, attention, CONTROL)),
                "descriptive" if one is None else one.verdict,
            ]
        )
    head = ["test", "figure", "CAM", "*plain*", TITLES[attention], "minus CAM", "by seed", "p (Holm)"]
    return table([*head, "minus *plain*", "verdict"], lines, left=2)


def _difference(test: PairedTest | None) -> str:
    return "" if test is None else f"{test.difference:+.1f} [{test.low:+.1f}, {test.high:+.1f}]"


def parts_of_rfga(rows: DigitsRows, tests: Tests) -> str:
    """RFGA with a part changed or left out, on every test."""
    lines = []
    for attention in ("rfga", *rows.ablations):
        cells = [attention]
        for figure in OF_ALL:
            text = _value(rows, figure, attention, rows.precision(images_of(figure), attention))
            test = tests.one(rows, figure, attention, "rfga")
            cells.append(f"{text} ({test.difference:+.1f})" if test and text else text)
        lines.append(cells)
    if "rfga" in rows.in_both:
        lines.insert(1, ["rfga", *(_value(rows, figure, "rfga", FLOAT32) for figure in OF_ALL)])
    shown = table(["row", *map(head_of, OF_ALL)], lines, left=1)
    return "\n".join(["#### Its parts", "", ABLATIONS, shown])


def _value(rows: DigitsRows, figure: Figure, attention: str, precision: str) -> str:
    """The figure as it was trained in one precision, marked where that is float32."""
    text = plain(rows.estimate(images_of(figure), figure.key, attention, precision=precision))
    return text + IN_FLOAT32 * bool(text and precision == FLOAT32)
