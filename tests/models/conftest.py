"""Localizers with the attention modules of a test file: those in its ``MODULES``, by class name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from wsol.attention import ATTENTION
from wsol.models.factory import build_localizer
from wsol.models.localizer import Localizer
from wsol.recipe import Recipe


@pytest.fixture
def localizer(request, monkeypatch) -> Callable[..., Localizer]:
    """Build a localizer of four classes for 32 x 32 images, from seed 0 on."""
    torch.manual_seed(0)
    monkeypatch.setattr(ATTENTION, "get", request.module.MODULES.__getitem__)

    def build(attention: str = "none", backbone: str = "small_resnet", **settings) -> Localizer:
        recipe = {
            "backbone": {"name": backbone},
            "attention": {"name": attention, **settings},
            "data": {"input_size": 32},
        }
        return build_localizer(Recipe.from_dict(recipe), 4, ["a", "b", "c", "d"])

    return build
