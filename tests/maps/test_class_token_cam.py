"""Grad-CAM of a network that classifies by its class token, against gradients by hand."""

import pytest
import torch

from wsol.errors import UserError
from wsol.maps import map_source
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe

OPTIONS = {"depth": 3, "embed_dim": 48, "num_heads": 3, "num_classes": 7}


def classifier(name: str, options: dict):
    torch.manual_seed(0)
    recipe = {
        "backbone": {"name": name, "options": options},
        "data": {"input_size": 64},
        "head": {"name": "classifier"},
    }
    return build_localizer(Recipe.from_dict(recipe), 7).eval()


def test_gradcam_reads_what_goes_into_the_last_block():
    localizer = classifier("vit_tiny_patch16_224", OPTIONS)
    images = torch.randn(2, 3, 64, 64)
    source = map_source("torchcam:GradCAM")
    with source.ready(localizer):
        output = localizer(images)
        found = source.read(output, [[3], [5]])
    trunk = localizer.backbone.stages["stage4"].trunk
    x = trunk.norm_pre(trunk._pos_embed(trunk.patch_embed(images)))
    x = trunk.blocks[1](trunk.blocks[0](x))
    logits = localizer.head.layers["head"](trunk.norm(trunk.blocks[2](x))[:, 0])
    torch.testing.assert_close(output.logits, logits)
    (gradient,) = torch.autograd.grad(logits[0, 3] + logits[1, 5], x)
    weights = gradient[:, 1:].mean(dim=1, keepdim=True)
    expected = (weights * x[:, 1:]).sum(dim=2).relu().reshape(2, 4, 4)
    assert expected.max() > 0
    torch.testing.assert_close(found, expected)


def test_the_network_is_as_before_afterwards():
    localizer = classifier("vit_tiny_patch16_224", OPTIONS)
    before = list(localizer.state_dict())
    with map_source("torchcam:LayerCAM").ready(localizer):
        assert list(localizer.state_dict()) != before
    assert list(localizer.state_dict()) == before


def test_a_network_that_pools_its_patches_is_read_at_its_last_features():
    options = {**OPTIONS, "global_pool": "avg"}
    localizer = classifier("vit_tiny_patch16_224", options)
    assert localizer.head.reads_maps
    source = map_source("torchcam:GradCAM")
    with source.ready(localizer):
        output = localizer(torch.randn(1, 3, 64, 64))
        maps = source.read(output, [[0]])
    logits = localizer.head(output.features, output.prefix).logits
    (gradient,) = torch.autograd.grad(logits[0, 0], output.features)
    expected = (gradient.mean(dim=(2, 3), keepdim=True) * output.features).sum(dim=1).relu()
    torch.testing.assert_close(maps, expected)


def test_without_plain_blocks_a_line_says_what_else_there_is():
    localizer = classifier("pit_ti_224", {"num_classes": 7, "depth": (1, 1, 1)})
    with (
        pytest.raises(UserError, match=r"classifies by its class token, .*: take --maps features"),
        map_source("torchcam:GradCAM").ready(localizer),
    ):
        pass
