"""Which stages a gate goes to where nobody says it."""

from __future__ import annotations

import re

import pytest

from wsol.errors import UserError
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe


@pytest.mark.parametrize(
    ("backbone", "words"),
    [
        ("squeezenet1_1", "blocks of this kind are not known here (torchvision's squeezenet Fire)"),
        ("vgg16", "it is plain convolutions, without blocks to go into"),
    ],
)
def test_a_gate_without_any_block_to_go_into_says_what_there_is(backbone, words):
    recipe = Recipe.from_dict({"backbone": {"name": backbone}, "attention": {"name": "se"}})
    with pytest.raises(UserError, match=re.escape(f"{backbone}: {words}")):
        build_localizer(recipe, 3)


def test_a_gates_default_places_are_the_stages_with_blocks():
    """timm's MobileNetV3-small begins with a block that adds nothing, in a stage of its own."""
    recipe = Recipe.from_dict(
        {"backbone": {"name": "mobilenetv3_small_050"}, "attention": {"name": "simam"}}
    )
    assert {name.partition(".")[0] for name in build_localizer(recipe, 3).placed} == {
        "stage3", "stage4", "stage5",
    }  # fmt: skip
