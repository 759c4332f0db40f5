"""How flat attention maps are, and how large the window is, of modules whose maps are known."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from wsol.models.factory import build_localizer
from wsol.recipe import AttentionSettings
from wsol.training.shown_maps import ShownMaps, shown_maps

KNOWN = """
import torch
from torch import nn

from wsol.attention.contract import Attended


class Known(nn.Module):
    def __init__(self, channels):
        super().__init__()

    def forward(self, x):
        shown = torch.full((len(x), *x.shape[2:]), -0.4)
        shown[:, 0, 0] *= torch.arange(len(x)) % 2  # 0 in every second image
        return Attended(x, shown)
"""


def test_the_mean_of_the_images_spreads(recipe_of, tiny_split, monkeypatch, tmp_path):
    (tmp_path / "known_maps.py").write_text(KNOWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("wsol.training.shown_maps.IMAGES", 6)
    attention = AttentionSettings("known_maps:Known")
    recipe = dataclasses.replace(recipe_of(), attention=attention)
    found = shown_maps(build_localizer(recipe, 2), tiny_split, recipe)
    assert found.images == 6 and found.window is None
    (value,) = found.spread.values()
    assert value == pytest.approx(0.5)  # 0.4 of 0.4 in three images, nothing in the others


def test_the_mean_window(recipe_of, tiny_split):
    attention = AttentionSettings("stn", at=["input"])
    recipe = dataclasses.replace(recipe_of(), attention=attention)
    localizer = build_localizer(recipe, 2)
    (stn,) = localizer.attention_modules
    with torch.no_grad():  # half as wide and at the left, as high as the image
        stn.deciding[-1].bias.copy_(torch.tensor([0.5, 0, -0.5, 0, 1, 0]))
        stn.deciding[-1].weight.zero_()
    assert shown_maps(localizer, tiny_split, recipe).window == pytest.approx((0.5, 1.0))


def test_what_is_told():
    lines = ShownMaps(9, {"a": 0.9, "b": 0.04}, (1.0, 0.5)).lines()
    assert lines[0].endswith("on 9 images: a 0.900, b 0.040")
    assert lines[1].startswith("nearly flat: b;")
    assert lines[2] == "mean window: 1.00 of the image's width, 0.50 of its height"
    assert ShownMaps(9, {}, None).lines() == []
