"""Weights of a vision transformer in a network of another side: position embeddings are resized."""

from __future__ import annotations

import timm
import torch
from safetensors.torch import save_file
from torch.nn import functional

from wsol.models.factory import build_localizer
from wsol.recipe import Recipe

TINY = {"depth": 3, "embed_dim": 48, "num_heads": 3}


def saved(network, folder):
    file = folder / "vit.safetensors"
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, file)
    return file


def built_from(file, options, side):
    recipe = {
        "backbone": {"name": "vit_tiny_patch16_224", "options": options},
        "data": {"input_size": side},
        "weights": {"name": "mine", "file": str(file)},
    }
    return build_localizer(Recipe.from_dict(recipe), 4).eval()


def test_weights_of_the_own_side_are_resized_to_another(tmp_path):
    """Class token and position embeddings are loaded too, and resized as timm resizes them."""
    torch.manual_seed(5)
    network = timm.create_model("vit_tiny_patch16_224", **TINY)
    file = saved(network, tmp_path)
    built = built_from(file, TINY, 96)
    trunk = built.backbone.stages["stage4"].trunk
    assert torch.equal(trunk.cls_token, network.cls_token)
    grid = network.pos_embed[:, 1:].reshape(1, 14, 14, 48).permute(0, 3, 1, 2)
    expected = functional.interpolate(grid, (6, 6), mode="bicubic", antialias=True, align_corners=False)
    torch.testing.assert_close(trunk.pos_embed[:, 1:], expected.flatten(2).transpose(1, 2))
    assert not [name for name in built.as_drawn if not name.startswith("head.")]


def test_weights_made_for_another_side_are_resized_on_loading(tmp_path):
    torch.manual_seed(5)
    network = timm.create_model("vit_tiny_patch16_224", img_size=96, **TINY)
    file = saved(network, tmp_path)
    options = {**TINY, "img_size": 64}
    built = built_from(file, options, 64)
    grid = network.pos_embed[:, 1:].reshape(1, 6, 6, 48).permute(0, 3, 1, 2)
    expected = functional.interpolate(grid, (4, 4), mode="bicubic", antialias=True, align_corners=False)
    found = built.backbone.stages["stage4"].trunk.pos_embed[:, 1:]
    torch.testing.assert_close(found, expected.flatten(2).transpose(1, 2))
