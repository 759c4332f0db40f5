"""TS-CAM: the head, the coupled map by a slow forward pass of one's own, and where it cannot go."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from wsol.data.loading.loader import Batch
from wsol.errors import UserError
from wsol.maps.reading import MapReader
from wsol.maps.ts_cam import class_attention
from wsol.methods.build import build_method
from wsol.models.factory import build_localizer
from wsol.recipe import BackboneSettings, DataSettings, MethodSettings, Recipe

KEYS = ["a", "b", "c"]
WIDTH, HEADS, DEPTH, PATCH = 24, 3, 2, 16
OPTIONS = {"embed_dim": WIDTH, "num_heads": HEADS, "depth": DEPTH}


def recipe(backbone="vit_small_patch16_224", method="ts_cam", **options) -> Recipe:
    return Recipe(
        data=DataSettings(input_size=48, resize_size=48),
        backbone=BackboneSettings(backbone, options=options or OPTIONS),
        method=MethodSettings(method),
    )


@pytest.fixture
def localizer():
    torch.manual_seed(0)
    own = recipe()
    found = build_method(own, build_localizer(own, 3, KEYS)).trained().eval()
    with torch.no_grad():
        # Fresh blocks nearly agree on every token: larger weights make the test able to fail.
        for parameter in found.parameters():
            parameter.mul_(3).add_(0.1 * torch.randn_like(parameter))
    return found


IMAGES = torch.randn(4, 3, 48, 48, generator=torch.Generator().manual_seed(1))
LABELS = torch.tensor([0, 1, 2, 1])
BATCH = Batch(IMAGES, LABELS, list("wxyz"), torch.arange(4), 4)


def test_torchcam_has_no_map_of_a_classifier_of_3_by_3(localizer):
    with pytest.raises(UserError, match="torchcam:CAM reads a head of pooling and one linear layer"):
        list(MapReader(localizer, KEYS).predictions([BATCH], "torchcam:CAM"))


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def normed(x, weight, bias):
    mean = x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt(((x - mean) ** 2).mean(axis=-1, keepdims=True) + 1e-6)
    return (x - mean) / deviation * weight + bias


def by_hand(localizer, image):
    """The class maps and the class token's attention of one image (3, 48, 48), in NumPy, by loops."""
    given = {name: one.numpy().astype(np.float64) for name, one in localizer.state_dict().items()}
    trunk = {name.partition("trunk.")[2]: one for name, one in given.items() if "trunk." in name}
    image = image.numpy().astype(np.float64)
    patches = []
    for row in range(3):
        for column in range(3):
            patch = image[:, row * PATCH : (row + 1) * PATCH, column * PATCH : (column + 1) * PATCH]
            kernel = trunk["patch_embed.proj.weight"].reshape(WIDTH, -1)
            patches.append(kernel @ patch.reshape(-1) + trunk["patch_embed.proj.bias"])
    tokens = np.concatenate([trunk["cls_token"][0], np.stack(patches)]) + trunk["pos_embed"][0]
    total = np.zeros(9)
    for block in range(DEPTH):
        own = {name: trunk[f"blocks.{block}.{name}"] for name in NAMES}
        x = normed(tokens, own["norm1.weight"], own["norm1.bias"])
        queries, keys, values = np.split(x @ own["attn.qkv.weight"].T + own["attn.qkv.bias"], 3, axis=1)
        mixed = []
        for head in range(HEADS):
            part = slice(head * 8, head * 8 + 8)
            weights = np.exp(queries[:, part] @ keys[:, part].T / math.sqrt(8))
            weights /= weights.sum(axis=1, keepdims=True)
            total += weights[0, 1:] / HEADS
            mixed.append(weights @ values[:, part])
        tokens = tokens + np.hstack(mixed) @ own["attn.proj.weight"].T + own["attn.proj.bias"]
        x = normed(tokens, own["norm2.weight"], own["norm2.bias"])
        x = gelu(x @ own["mlp.fc1.weight"].T + own["mlp.fc1.bias"])
        tokens = tokens + x @ own["mlp.fc2.weight"].T + own["mlp.fc2.bias"]
    grid = normed(tokens, trunk["norm.weight"], trunk["norm.bias"])[1:].reshape(3, 3, WIDTH)
    kernel, bias = given["head.classifier.weight"], given["head.classifier.bias"]
    maps = np.zeros((3, 3, 3)) + bias[:, None, None]
    for y in range(3):
        for x in range(3):
            for dy in (-1, 0, 1):
                for dx in (-1, 0, 1):
                    if 0 <= y + dy < 3 and 0 <= x + dx < 3:
                        maps[:, y, x] += kernel[:, :, dy + 1, dx + 1] @ grid[y + dy, x + dx]
    return maps, total.reshape(3, 3)


NAMES = [
    f"{part}.{kind}"
    for part in ("norm1", "norm2", "attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
    for kind in ("weight", "bias")
]


@torch.no_grad()
def test_maps_and_logits_are_those_of_a_slow_pass(localizer):
    output = localizer(IMAGES)
    coupled = list(MapReader(localizer, KEYS).predictions([BATCH], "ts_cam"))
    plain = list(MapReader(localizer, KEYS).predictions([BATCH], "cam"))
    for number, (image, label) in enumerate(zip(IMAGES, LABELS.tolist(), strict=True)):
        maps, attention = by_hand(localizer, image)
        np.testing.assert_allclose(output.logits[number], maps.mean(axis=(1, 2)), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(plain[number].score_map, maps[label], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(
            coupled[number].score_map, maps[label] * attention, rtol=1e-4, atol=1e-4
        )
        assert np.ptp(attention) > 0.05


@torch.no_grad()
def test_the_predicted_class_has_its_own_map(localizer):
    predicted = localizer(IMAGES).logits.argmax(1)
    assert (predicted != LABELS).any()
    found = list(MapReader(localizer, KEYS).predictions([BATCH], "ts_cam@predicted"))
    for image, label, one in zip(IMAGES, predicted.tolist(), found, strict=True):
        maps, attention = by_hand(localizer, image)
        np.testing.assert_allclose(one.score_map, maps[label] * attention, rtol=1e-4, atol=1e-4)


def test_the_loss_is_the_cross_entropy_of_the_maps_means(localizer):
    own = recipe()
    method = build_method(own, build_localizer(own, 3, KEYS)).eval()
    output = method.step(IMAGES, LABELS, "main")
    maps = method.localizer(IMAGES).class_maps.mean(dim=(2, 3)).detach().numpy().astype(np.float64)
    wanted = np.mean(
        [np.log(np.exp(row).sum()) - row[label] for row, label in zip(maps, LABELS, strict=True)]
    )
    assert output.loss.item() == pytest.approx(wanted, rel=1e-5)
    head = sum(one.numel() for one in method.localizer.head.parameters())
    assert head == 9 * WIDTH * 3 + 3


def test_attention_is_fused_again_after_reading(localizer):
    blocks = localizer.backbone.tokens.blocks
    before = [block.attn.fused_attn for block in blocks]
    list(MapReader(localizer, KEYS).predictions([BATCH], "ts_cam"))
    assert [block.attn.fused_attn for block in blocks] == before


@pytest.mark.parametrize(
    ("backbone", "options", "said"),
    [
        ("small_resnet", {"widths": [4, 6]}, "small_resnet has none: take a ViT"),
        ("vit_base_patch16_siglip_224", {"depth": 2, "embed_dim": 24, "num_heads": 3}, "has none: take"),
        ("xcit_nano_12_p16_224", {"depth": 2}, "no plain self-attention"),
    ],
)
def test_it_needs_a_class_token_and_plain_attention(backbone, options, said):
    own = recipe(backbone, **options)
    with pytest.raises(UserError, match=said) as caught:
        build_method(own, build_localizer(own, 3, KEYS))
    assert str(caught.value).startswith("method ts_cam ") and "\n" not in str(caught.value)
    plain = build_localizer(own, 3, KEYS)
    with pytest.raises(UserError, match=f"map source ts_cam .*{said}"):
        list(MapReader(plain, KEYS).predictions([BATCH], "ts_cam"))


def test_it_needs_a_head_that_makes_way():
    own = recipe().changed(attention={"name": "dvan"})
    with pytest.raises(UserError, match="method ts_cam has a head of its own"):
        build_method(own, build_localizer(own, 3, KEYS))


def test_a_plain_head_can_be_coupled_and_registers_are_no_patches():
    own = recipe("vit_small_patch14_reg4_dinov2", "cam", **OPTIONS)
    own = own.changed(data={"input_size": 56, "resize_size": 56})
    localizer = build_localizer(own, 3, KEYS)
    assert localizer.backbone.tokens.prefix == 5
    batch = BATCH._replace(images=torch.randn(4, 3, 56, 56))
    found = list(MapReader(localizer, KEYS).predictions([batch], "ts_cam"))
    assert [one.score_map.shape for one in found] == [(4, 4)] * 4


def test_what_is_summed_by_hand():
    """Two blocks, one head each, a class token, a register and two patches."""
    rows = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.15, 0.05]])
    weights = [rows[block].expand(1, 1, 4, 4) for block in range(2)]
    torch.testing.assert_close(class_attention(weights, 2), torch.tensor([[0.45, 0.45]]))
