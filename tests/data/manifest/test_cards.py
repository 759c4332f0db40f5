from __future__ import annotations

import csv
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from wsol.data.layouts import DATASETS
from wsol.data.layouts.layout import Layout
from wsol.data.manifest.cards import cards_folder, read_card, read_card_file, subset
from wsol.data.manifest.manifest_draft import DraftClass, DraftImage, ManifestDraft
from wsol.data.prepare import prepare
from wsol.errors import UserError


def test_every_card_is_whole():
    names = sorted(path.parent.name for path in cards_folder().glob("*/card.toml"))
    assert {"clutter", "cub", "digits", "imagenet"} <= set(names)
    for name in names:
        card = read_card(name)
        assert card is not None
        assert card.title and card.page.startswith("https://") and card.licence and card.citation, name
        # A package would shadow Hugging Face's `datasets` where wsol is run from a checkout.
        assert not (cards_folder() / name / "__init__.py").exists()


def test_official_counts():
    cub, imagenet = read_card("cub"), read_card("imagenet")
    assert cub is not None and imagenet is not None
    assert cub.expected["images"] == {"train": 5994, "test": 5794} and cub.expected["classes"] == 200
    assert imagenet.expected["images"] == {"train": 1281167, "test": 50000}
    assert imagenet.expected["boxes"] == {"test": 80477}


def test_a_set_without_card_has_none():
    assert read_card("nothing") is None


def test_the_clutter_card_is_its_layout():
    card, layout = read_card("clutter"), DATASETS.get("clutter")
    options = layout.options()
    assert card is not None
    assert card.expected["images"] == {"train": options.train, "val": options.val, "test": options.test}


def test_the_clutter_card_says_who_wins_there():
    """Its two figures, from the committed board."""
    path = Path(__file__).parents[3] / "results" / "leaderboard.csv"
    with path.open(encoding="utf-8", newline="") as file:
        board = [row for row in csv.DictReader(file) if row["dataset"] == "clutter"]
    key = "max_box_acc@0.5"
    (brightness,) = [row[key] for row in board if row["maps"] == "intensity"]
    without = {"none", "plain"}  # CAM, and the control, which has parameters and no attention
    rows = [row for row in board if row["maps"] == "cam" and row["attention"] not in without]
    best = max(float(row[key]) for row in rows)
    card = read_card("clutter")
    assert card is not None
    assert f"MaxBoxAcc {float(brightness):.1f} at IoU .5" in card.about.replace("\n", " ")
    assert f"best attention module {best:.1f}" in card.about and "digits" in card.about


def test_the_digits_card_is_its_layout():
    card, options = read_card("digits"), DATASETS.get("digits").options()
    assert card is not None
    for split, count in (("train", options.train), ("val", options.val), ("test", options.images)):
        assert card.splits[split].startswith(f"{count:,} images"), split
    for terms in ("CC BY 4.0", "CC0 1.0", "public domain (NASA)"):
        assert terms in card.licence


def test_an_installed_package_has_its_cards_inside(tmp_path):
    """Beside it, `datasets` is another package; a checkout has no folder wsol/cards."""
    package = tmp_path / "site-packages/wsol"
    (tmp_path / "site-packages/datasets/cub").mkdir(parents=True)
    package.mkdir()
    assert cards_folder(package) == tmp_path / "site-packages/datasets"
    (package / "cards").mkdir()
    assert cards_folder(package) == package / "cards"
    repository = Path(__file__).parents[3]
    wheel = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert wheel["targets"]["wheel"]["sources"] == {"datasets": "wsol/cards"}
    assert "datasets" in wheel["targets"]["wheel"]["only-include"]


CARD = """
title = "My birds"
version = "3"
page = "https://birds.example"
licence = "mine"
citation = "none"
expected = { classes = 2, images = { test = 5 } }
"""


def test_a_layout_from_elsewhere_has_its_card_beside_it(tmp_path):
    (tmp_path / "card.toml").write_text(CARD)
    Image.new("L", (9, 9)).save(tmp_path / "a.png")

    def read(root, options):
        images = [DraftImage("a", "a.png", 0, "test")]
        return ManifestDraft(
            "cub", "a name that is a card of wsol", "0", root, [DraftClass("g", "g")], images
        )

    layout = Layout(read, lambda parser: None, card_file=tmp_path / "card.toml")
    assert layout.card("cub") == read_card_file(tmp_path / "card.toml")
    sys.modules["birds_elsewhere"] = SimpleNamespace(LAYOUT=layout)
    try:
        info = prepare("birds_elsewhere:LAYOUT", tmp_path, tmp_path / "m")
    finally:
        del sys.modules["birds_elsewhere"]
    assert (info["title"], info["version"]) == ("My birds", "3")
    assert info["subset"] == "1 of 2 classes, 1 of 5 test images"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such card"),
        ("title =", "not a TOML file"),
        ('title = "x"', "not a card, whose entries are title, version, page"),
        (CARD + 'colour = "red"', "not a card, whose entries are title, version, page"),
        (CARD.replace('"3"', "3"), "version is not of the kind"),
        (CARD + "about = 3", "about is not of the kind"),
        (CARD.replace("test = 5", 'test = "5"'), "expected.images is not of the kind"),
        (CARD.replace("{ test = 5 }", "5"), "expected.images is not of the kind"),
        (CARD.replace("classes = 2", "classes = { test = 2 }"), "expected.classes is not of the kind"),
        (CARD.replace("images", "pictures"), "expected.pictures is not of the kind"),
    ],
)
def test_a_wrong_card_is_one_line(tmp_path, content, said):
    path = tmp_path / "card.toml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as caught:
        read_card_file(path)
    assert str(caught.value).startswith(f"{path}: {said}") and len(str(caught.value).splitlines()) == 1


EXPECTED = {"classes": 3, "images": {"train": 100, "test": 20}, "boxes": {"test": 25}}


@pytest.mark.parametrize(
    ("found", "fold", "words"),
    [
        ({"classes": 3, "images": {"train": 100, "test": 20}, "boxes": {"test": 25}}, False, ""),
        (
            {"classes": 3, "images": {"train": 85, "val": 15, "test": 20}, "boxes": {"test": 25}},
            True,
            "",
        ),
        (
            {"classes": 2, "images": {"train": 50, "val": 10}, "boxes": {}},
            True,
            "2 of 3 classes, 60 of 100 train images, 0 of 20 test images, 0 of 25 test boxes",
        ),
        (
            {"classes": 3, "images": {"train": 90, "val": 10, "test": 20}, "boxes": {"test": 25}},
            False,
            "90 of 100 train images",
        ),
    ],
)
def test_a_subset_is_said_in_words(found, fold, words):
    assert subset(EXPECTED, {"masks": {}, **found}, fold=fold) == words


def test_every_layout_has_its_options():
    for name in DATASETS:
        layout = DATASETS.get(name)
        assert isinstance(layout, Layout)
        layout.options()


def test_unknown_options_of_a_layout_are_refused():
    with pytest.raises(TypeError, match="colour"):
        DATASETS.get("clutter").options(colour="red")
