"""Attention weights read from built blocks: what they are, and that nothing is left behind."""

from __future__ import annotations

import pytest
import timm
import torch

from wsol.maps.tokens.attention_weights import keys_kept, weights_kept

SMALL = {"img_size": 64, "depth": 2, "embed_dim": 48, "num_heads": 3, "num_classes": 5}


def network(name="vit_tiny_patch16_224", **options):
    torch.manual_seed(0)
    return timm.create_model(name, pretrained=False, **SMALL, **options).eval()


@pytest.fixture
def images():
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def test_weights_and_keys_are_those_that_the_layer_computes(images):
    vit = network()
    layers = [block.attn for block in vit.blocks]
    inputs = []
    hooks = [one.register_forward_pre_hook(lambda _, given: inputs.append(given[0])) for one in layers]
    with torch.no_grad(), weights_kept(layers) as weights, keys_kept(layers[1]) as keys:
        vit(images)
        for hook in hooks:
            hook.remove()
        for layer, tokens, found in zip(layers, inputs, weights, strict=True):
            query, key, _ = layer.qkv(tokens).unflatten(2, (3, 3, 16)).unbind(2)
            scores = torch.einsum("nqhd,nkhd->nhqk", query, key) / 4
            torch.testing.assert_close(found, scores.exp() / scores.exp().sum(-1, keepdim=True))
        torch.testing.assert_close(keys[0], key.transpose(1, 2))


@pytest.mark.parametrize(
    "name",
    [
        "vit_tiny_patch16_224",
        "beit_base_patch16_224",
        "eva02_tiny_patch14_224",
        "vit_relpos_small_patch16_224",
    ],
)
def test_logits_stay_what_they_are_without_the_fused_attention(name, images):
    options = {"patch_size": 16} if "eva02" in name else {}
    net = network(name, **options)
    layers = [block.attn for block in net.blocks]
    with torch.no_grad():
        wanted = net(images)
        with weights_kept(layers) as weights:
            torch.testing.assert_close(net(images), wanted, rtol=1e-4, atol=1e-5)
            for found in weights:
                torch.testing.assert_close(found.sum(-1), torch.ones(found.shape[:-1]))


def test_nothing_is_left_behind_whatever_happens(images):
    vit = network()
    layers = [block.attn for block in vit.blocks]
    layers[1].fused_attn = False  # as somebody else may have set it
    hooks = [
        hook
        for layer in layers
        for hook in (layer.attn_drop._forward_hooks, layer.k_norm._forward_hooks)
    ]
    with (
        pytest.raises(RuntimeError, match="on the way"),
        weights_kept(layers) as weights,
        keys_kept(layers[1]) as keys,
    ):
        assert not layers[0].fused_attn and sum(map(len, hooks)) == 3
        vit(images)
        assert weights[1].requires_grad and keys[0].requires_grad
        raise RuntimeError("on the way")
    assert weights == keys == []
    assert [layer.fused_attn for layer in layers] == [True, False]
    assert sum(map(len, hooks)) == 0


def test_a_layer_without_dropout_of_weights_leaves_nothing_behind_either():
    vit = network()
    layers = [block.attn for block in vit.blocks]
    del layers[1].attn_drop
    with pytest.raises(AttributeError), weights_kept(layers):
        raise AssertionError("never reached")
    assert layers[0].fused_attn and not layers[0].attn_drop._forward_hooks
