from __future__ import annotations

import pytest

from wsol.data.layouts import DATASETS
from wsol.data.layouts.layout import Layout
from wsol.data.manifest.cards import cards_folder, read_card, subset


def test_every_card_is_whole():
    names = sorted(path.parent.name for path in cards_folder().glob("*/card.toml"))
    assert {"clutter", "cub", "imagenet"} <= set(names)
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
