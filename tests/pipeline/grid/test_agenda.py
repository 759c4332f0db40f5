"""Rows that others hold come last, are told once, and those that fail stop no other."""

from types import SimpleNamespace

from wsol.pipeline.grid import agenda as module
from wsol.pipeline.grid.agenda import Agenda, Answer
from wsol.pipeline.grid.rows import short_names
from wsol.recipe import Recipe


def test_a_row_that_is_held_is_done_when_it_is_free(monkeypatch, capsys):
    monkeypatch.setattr(module, "PATIENCE", 0)
    rows = [SimpleNamespace(name=name) for name in "abc"]
    looks = iter([False, False, True, True])
    tried = []

    def attempt(row):
        tried.append(row.name)
        if row.name == "a" and tried.count("a") < 3:
            return Answer("held", "in use by process 7")
        return Answer("failed", "too large") if row.name == "b" else Answer("done")

    agenda = Agenda(rows, lambda row: next(looks))
    agenda.work_off(attempt)
    assert "".join(tried) == "abcaa"
    assert agenda.failures == [("b", "too large")]
    assert capsys.readouterr().err.splitlines() == [
        "a: in use by process 7; looked at again after the other rows",
        "b: failed: too large",
    ]


def test_names_tell_recipes_apart_by_what_they_differ_in():
    def names(*recipes):
        return short_names([Recipe.from_dict(recipe) for recipe in recipes])

    rfga = {"attention": {"name": "rfga"}}
    assert names({}, rfga) == ["cam", "rfga"]
    assert names(rfga, {**rfga, "backbone": {"name": "vgg16"}}) == ["resnet50 rfga", "vgg16 rfga"]
    assert names(rfga, {**rfga, "training": {"lr": 1.0}}) == ["rfga (1)", "rfga (2)"]
    mine = {"attention": {"name": "package.module:Mine"}, "method": {"name": "other:Loss"}}
    assert names(mine) == ["Mine Loss"]
