"""A recipe's data set: an embedded one is made where it is missing, and nothing else is."""

from __future__ import annotations

import pytest

from wsol.data import prepare as preparing
from wsol.data.layouts import digits
from wsol.errors import UserError
from wsol.pipeline.inputs import open_manifest
from wsol.recipe import DataSettings, Recipe


@pytest.fixture
def small(monkeypatch, tmp_path):
    """In an empty folder; what is drawn is small."""
    monkeypatch.chdir(tmp_path)
    real = preparing.prepare

    def drawn(name, root, output):
        options = {"train": 7, "val": 7, "images": 14} if name == "digits" else {}
        return real(name, root, output, options=digits.LAYOUT.options(**options))

    monkeypatch.setattr(preparing, "prepare", drawn)


def test_digits_are_drawn_where_no_one_has_prepared_them(small, capsys):
    """So that the first command of README runs in an empty folder."""
    manifest = open_manifest(Recipe(data=DataSettings(name="digits")))
    assert manifest.title == "digits base 2" and manifest.splits["train"] == 7
    assert "making the embedded data set in manifests/digits" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["digits", "clutter"])
def test_a_folder_that_was_named_is_not_made(small, name):
    with pytest.raises(UserError, match=rf"manifests/mine: no such manifest .*prepare {name} --output"):
        open_manifest(Recipe(data=DataSettings(name=name, manifest="manifests/mine")))


def test_what_has_to_be_read_is_not_made(small):
    with pytest.raises(UserError, match="wsol prepare"):
        open_manifest(Recipe(data=DataSettings(name="cub")))
