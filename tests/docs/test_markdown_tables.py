"""Docstring tables on the site; griffe, which calls the extension, comes with the docs extra alone."""

import sys
import types
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / "docs" / "extensions" / "markdown_tables.py"


@pytest.fixture
def extension(monkeypatch):
    griffe = types.ModuleType("griffe")
    griffe.Extension = griffe.Object = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "griffe", griffe)
    spec = spec_from_file_location("markdown_tables", FILE)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_become_markdown_and_the_rest_stays(extension):
    text = """Before.

======= ===========
map     what is done
======= ===========
NaN     a|b, and so
        on
zero    nothing
======= ===========

x == y
"""
    assert (
        extension.with_markdown_tables(text)
        == r"""Before.

| map | what is done |
| --- | --- |
| NaN | a\|b, and so on |
| zero | nothing |

x == y
"""
    )


def test_two_tables(extension):
    one = "= =\na b\n= =\nc d\n= ="
    made = "| a | b |\n| --- | --- |\n| c | d |"
    assert extension.with_markdown_tables(f"{one}\n\n{one}") == f"{made}\n\n{made}"


def test_text_without_a_table_stays(extension):
    assert extension.with_markdown_tables("Title\n=====\n\ntext") == "Title\n=====\n\ntext"


def test_docstrings_are_rewritten_in_place(extension):
    with_one = types.SimpleNamespace(docstring=types.SimpleNamespace(value="= =\na b\n= =\nc d\n= ="))
    without = types.SimpleNamespace(docstring=None)
    for each in (with_one, without):
        extension.MarkdownTables().on_object(obj=each)
    assert with_one.docstring.value.startswith("| a | b |") and without.docstring is None
