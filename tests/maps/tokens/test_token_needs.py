"""What each source of tokens needs: the networks that have it, and what others are told."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from wsol.errors import UserError
from wsol.maps import map_source
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe

KEYS = ["a", "b", "c"]

TINY = {"depth": 2, "embed_dim": 48, "num_heads": 3}

SWIN = {"depths": [1, 1], "embed_dim": 24, "num_heads": [2, 2], "window_size": 4}


def test_a_wider_prefix_and_other_attentions(built, maps, batch_of, sources):
    registers = built("vit_small_patch14_reg4_dinov2", data={"input_size": 70, "resize_size": 70})
    images = batch_of(torch.randn(2, 3, 70, 70, generator=torch.Generator().manual_seed(2)))
    assert registers.backbone.tokens.prefix == 5
    for source in sources:
        assert maps(registers, images, source).shape == (2, 5, 5)
    for name, patch in (("eva02_tiny_patch14_224", 14), ("vit_relpos_small_patch16_224", 16)):
        side = 5 * patch
        net = built(name, "cam", data={"input_size": side, "resize_size": side})
        images = batch_of(torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(2)))
        for source in ("rollout", "legrad", "cut", "cut:keys"):
            assert maps(net, images, source).shape == (2, 5, 5)


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "beit_base_patch16_224"])
def test_the_networks_own_classifier_says_what_it_reads(built, maps, batch_of, batch, name):
    net = built(name, "classifier", TINY | {"num_classes": 3})
    tokens = batch_of(batch.images)
    found = maps(net, tokens, "legrad")
    with torch.no_grad():  # the same network behind a linear layer of our own
        output = net(batch.images)
        pooled = output.prefix[:, 0] if name.startswith("vit") else output.features.mean((2, 3))
        network = net.head._forward_head[0].__self__
        logits = network.head(network.fc_norm(pooled))
    torch.testing.assert_close(output.logits, logits, rtol=1e-4, atol=1e-5)
    assert found.shape == (3, 4, 4) and found.max() > 0
    if name.startswith("vit"):
        assert maps(net, tokens, "class_token").shape == (3, 4, 4)
    else:
        with pytest.raises(UserError, match="was not made to be classified by its"):
            maps(net, tokens, "class_token")


def test_the_cut_reads_convolutions_too(maps, batch):
    recipe = {"backbone": {"name": "small_resnet"}, "data": {"input_size": 64, "resize_size": 64}}
    torch.manual_seed(0)
    net = build_localizer(Recipe.from_dict(recipe), 3, KEYS).eval()
    found = maps(net, batch, "cut")
    assert found.shape == (3, 8, 8) and np.isfinite(found).all()


@pytest.mark.parametrize(
    ("source", "network", "line"),
    [
        ("class_token", ("swin_tiny_patch4_window7_224", "cam", SWIN), "swin_tiny.* has none"),
        ("rollout", ("swin_tiny_patch4_window7_224", "cam", SWIN), "swin_tiny.* has none"),
        (
            "class_token",
            ("small_resnet", "cam", {}),
            "needs a network of tokens .*; small_resnet has none",
        ),
        ("rollout", ("small_resnet", "cam", {}), "needs a network of tokens"),
        ("legrad", ("small_resnet", "cam", {}), "needs a network of tokens"),
        ("cut:keys", ("small_resnet", "cam", {}), "needs a network of tokens"),
        (
            "class_token",
            ("vit_tiny_patch16_224", "cam", TINY),
            "needs a head that reads the class token",
        ),
        ("class_token", ("beit_base_patch16_224", "cam", TINY), "beit_base_patch16_224 was not made to"),
        (
            "class_token",
            ("vit_relpos_small_patch16_224", "cam", TINY),
            "needs a class token; vit_relpos",
        ),
        ("class_token:2", ("vit_tiny_patch16_224", "class_token", TINY), "the blocks .* are 0 to 1"),
        ("class_token:-1", ("vit_tiny_patch16_224", "class_token", TINY), "the blocks .* are 0 to 1"),
        ("legrad:3", ("vit_tiny_patch16_224", "class_token", TINY), "has 2 blocks"),
        ("legrad:0", ("vit_tiny_patch16_224", "class_token", TINY), "has 2 blocks"),
        ("legrad", ("vit_tiny_patch16_224", "cam_conv", TINY), "looks at neighbours"),
        ("rollout", ("xcit_nano_12_p16_224", "cam", {"depth": 2}), "block 0 of xcit.* has XCA"),
        ("legrad", ("xcit_nano_12_p16_224", "cam", {"depth": 2}), "block 0 of xcit.* has XCA"),
        ("cut:keys", ("xcit_nano_12_p16_224", "cam", {"depth": 2}), "has XCA"),
        (
            "cut:keys",
            ("beit_base_patch16_224", "cam", TINY),
            "needs keys of every token .* has Attention",
        ),
        ("cam", ("vit_tiny_patch16_224", "class_token", TINY), "this head has no class maps"),
    ],
)
def test_what_the_network_cannot_give_is_refused_by_name(built, maps, batch, source, network, line):
    net = built(*network)
    fused = [getattr(module, "fused_attn", None) for module in net.modules()]
    with pytest.raises(UserError, match=line) as refused:
        maps(net, batch, source)
    assert re.search(r"choose --maps|take head.name|: the blocks|; legrad:2", str(refused.value))
    assert not any(module._forward_hooks for module in net.modules())
    assert [getattr(module, "fused_attn", None) for module in net.modules()] == fused


@pytest.mark.parametrize("source", ["cut:values", "rollout:1", "cut@predicted", "class_token@predicted"])
def test_names_that_say_nothing_are_refused_before_any_network(source):
    with pytest.raises(
        UserError, match=r"there are cut, cut:component|takes no argument|reads no class"
    ):
        map_source(source)
