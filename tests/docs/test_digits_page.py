"""docs/digits.md says of each test what the generator and the diagnosis have."""

import re
from pathlib import Path

from wsol.data.digits.tests import TESTS
from wsol.pipeline.diagnosis.figures import PRIMARY

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "digits.md").read_text("utf-8")


def rows():
    """The cells of the table of tests, by the name in its first column."""
    lines = re.findall(r"^\| \[`(\w+)`\]\(#\w+\) \|(.*)\|$", PAGE, re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in lines}


def test_every_test_has_its_row():
    assert rows().keys() == TESTS.keys()
    for name, (training, _, exposes, _) in rows().items():
        assert training == TESTS[name].training
        assert exposes == TESTS[name].exposes


def test_dials_are_those_of_the_generator():
    for name, (_, dial, _, _) in rows().items():
        options = dict(re.findall(r"`--(\w+)` ([^`;]*)", dial))
        assert options.keys() == TESTS[name].options.keys()
        for option, own in TESTS[name].options.items():
            values = re.split(r",\s*|: |; | of 64 pixels", options[option])
            told = {value.strip("* ") for value in values}
            # The dial of sizes ends with its default, after a semicolon.
            assert told | set(re.findall(r"\*\*(.+?)\*\*", dial)) >= set(map(str, own.values))
            assert str(own.default) in re.findall(r"\*\*(.+?)\*\*", dial)


def test_primary_figures_are_those_of_the_diagnosis():
    for figure in PRIMARY:
        cell = rows()[figure.test][3]
        assert f"`{figure.key}`" in cell
        assert ("lower is better" in cell) == (figure.better == "low")


def test_every_test_is_shown():
    for name in TESTS:
        assert f"\n### {name}\n" in PAGE and f"(pictures/digits-{name}.png)" in PAGE
