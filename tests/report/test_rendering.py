from __future__ import annotations

import re
import subprocess
import sys
from importlib.resources import files

import jinja2
import pytest

from wsol.report.cells import Cell, Head, Table, TableRow
from wsol.report.rendering import _environment, render
from wsol.report.row_style import COLORS, DASHES

HOSTILE = "\"'><img src=x onerror=alert(1)>:a.b&amp;"


def cell(parse, shown: Cell):
    module = _environment().get_template("tables.html.jinja").module
    return parse(str(module.cell_part(shown))).parts[0]  # pyright: ignore


def test_text_and_attributes_come_back_as_they_were(parse):
    element = cell(parse, Cell(HOSTILE, (HOSTILE,), sort_key=HOSTILE, tip=HOSTILE))
    assert element.attributes == {"data-value": HOSTILE, "title": HOSTILE}
    assert element.text == HOSTILE * 2
    assert [part.tag for part in element.all("small")] == ["small"] and not element.all("img")


def test_an_empty_cell_is_empty(parse):
    element = cell(parse, Cell(is_number=True))
    assert element.parts == [] and element.attributes == {"class": "number"}


def test_names_and_heads_are_escaped_although_they_may_break(parse):
    module = _environment().get_template("tables.html.jinja").module
    row = TableRow(HOSTILE, (Cell(HOSTILE),))
    table = Table(HOSTILE, (Head(HOSTILE), Head("b")), (row,))
    page = parse(str(module.table_part(table, HOSTILE)))  # pyright: ignore
    assert page.all("th", scope="row")[0].text == HOSTILE
    assert page.all("th", scope="col")[0].text == HOSTILE
    assert page.all("caption")[0].text == HOSTILE
    assert page.all("div")[0].attributes["aria-label"] == HOSTILE
    assert not page.all("img")
    assert len(page.all("wbr")) == 2  # after the colon and the point


def test_a_name_that_a_template_does_not_know_is_an_error():
    with pytest.raises(jinja2.UndefinedError):
        render("page.html.jinja", rows=1, runs=1, published=None)


def test_only_our_own_text_is_trusted():
    """``safe`` switches escaping off: it may stand only behind literals."""
    folder = files("wsol.report") / "templates"
    found = [
        match
        for template in folder.iterdir()
        for match in re.findall(r"(\"[^\"]*\"|\S+)\s*\|\s*safe", template.read_text(encoding="utf-8"))
    ]
    assert found == ['":<wbr>"', '".<wbr>"', '" 0.<wbr>"']


def test_the_style_sheet_has_every_class_of_rows():
    style = (files("wsol.report") / "assets" / "report.css").read_text(encoding="utf-8")
    assert set(re.findall(r"\.color-(\d+)", style)) == {str(n) for n in range(COLORS)}
    assert set(re.findall(r"\.dash-(\d+)", style)) == {str(n) for n in range(DASHES)}


@pytest.mark.parametrize("name", ["report.css", "report.js"])
def test_no_asset_ends_its_own_element_or_asks_another_host(name):
    text = (files("wsol.report") / "assets" / name).read_text(encoding="utf-8")
    assert "</" not in text and "<!--" not in text
    assert not re.search(r"https?:|url\(|@import|fetch\(|import\(", text)


def test_jinja_is_imported_only_to_render():
    code = "import sys, wsol.report, wsol.report.page; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
