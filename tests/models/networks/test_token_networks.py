"""Token networks as stages of maps: timm's features, prefix tokens aside, any side, attention."""

from __future__ import annotations

import copy

import pytest
import timm
import torch
from timm.models.mvitv2 import MultiScaleVit, MultiScaleVitCfg
from torch import nn
from torch.nn import functional

from wsol.attention import ATTENTION
from wsol.attention.contract import Attended
from wsol.errors import UserError
from wsol.models.backbone import as_stages
from wsol.models.cost import cost
from wsol.models.factory import build_localizer
from wsol.recipe import BackboneSettings, Recipe

TINY = {"depth": 3, "embed_dim": 48, "num_heads": 3}

# Name, options, side: as small as their constructors allow.
PLAIN = [
    ("vit_tiny_patch16_224", TINY, 64),
    ("vit_tiny_patch16_224", {**TINY, "reg_tokens": 4}, 48),
    ("deit_tiny_distilled_patch16_224", TINY, 64),
    ("vit_small_patch14_reg4_dinov2", TINY, 56),
    ("beit_base_patch16_224", TINY, 64),
    ("eva02_tiny_patch14_224", {"depth": 2}, 56),
    ("vit_base_patch16_siglip_gap_224", TINY, 64),
    ("vit_relpos_small_patch16_224", TINY, 64),
    # A chain of modules: no class token, no position embedding.
    ("vit_base_patch16_siglip_gap_224", {**TINY, "pos_embed": "none"}, 64),
]
PREFIX = [1, 5, 2, 5, 1, 1, 0, 0, 0]
POOLED = [True, True, True, True, False, False, False, False, False]

HIERARCHICAL = [
    ("swin_tiny_patch4_window7_224", {"embed_dim": 24, "depths": (1, 1, 1, 1)}, 64, [2, 3, 4, 5]),
    ("maxvit_pico_rw_256", {"depths": (1, 1, 1, 1)}, 64, [1, 2, 3, 4, 5]),
    ("poolformer_s12", {}, 64, [2, 3, 4, 5]),
    ("pvt_v2_b0", {}, 64, [2, 3, 4, 5]),
    ("levit_128s", {}, 64, [4, 5, 6]),
    ("twins_svt_small", {"depths": (1, 1, 2, 1)}, 64, [2, 3, 4, 5]),
    ("pit_ti_224", {"depth": (1, 1, 1)}, 64, [3, 4, 5]),
    ("visformer_tiny", {"depth": (1, 1, 1)}, 64, [3, 4, 5]),
    ("vit_tiny_r_s16_p8_224", {"depth": 2}, 64, [1, 2, 5]),
]


class Doubled(nn.Module):
    """A stage module whose effect is seen: twice the features, their mean as its map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels, 1, 1), 2.0))

    def forward(self, x: torch.Tensor) -> Attended:
        assert x.dim() == 4 and x.shape[1] == len(self.scale)
        return Attended(x * self.scale, x.mean(dim=1))


def build(name: str, options: dict, side: int, **settings):
    torch.manual_seed(0)
    recipe = {"backbone": {"name": name, "options": options}, "data": {"input_size": side}, **settings}
    return build_localizer(Recipe.from_dict(recipe), 4).eval()


def the_librarys(name: str, options: dict, side: int):
    """The same network as timm builds it, brought to the side by timm."""
    torch.manual_seed(0)
    network = timm.create_model(name, **options)
    card = network.pretrained_cfg
    if card["input_size"][-1] == side or not (
        hasattr(network, "set_input_size") or card["fixed_input_size"]
    ):
        return network.eval()
    if hasattr(network, "set_input_size"):
        network.set_input_size(img_size=(side, side))
        return network.eval()
    return timm.create_model(name, img_size=side, **options).eval()


def images(side: int) -> torch.Tensor:
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("case", "prefix", "pooled"),
    list(zip(PLAIN, PREFIX, POOLED, strict=True)),
    ids=[case[0] for case in PLAIN],
)
@torch.no_grad()
def test_plain_tokens_are_timms_and_prefix_tokens_stand_aside(case, prefix, pooled):
    _, options, side = case
    built, network = build(*case), the_librarys(*case)
    expected = network.forward_features(images(side))
    output = built(images(side))
    tokens = built.backbone.tokens
    patch = network.patch_embed.patch_size[0]
    assert list(built.backbone.stages) == ["stage4"] and tokens.grid(side) == (side // patch,) * 2
    assert tokens.prefix == prefix and tokens.pools_class_token == pooled
    assert len(tokens.blocks) == options["depth"] and tokens.is_plain
    found = output.features.flatten(2).transpose(1, 2)
    assert torch.equal(found, expected[:, prefix:])
    if prefix:
        assert torch.equal(output.prefix, expected[:, :prefix])
    else:
        assert output.prefix is None


@pytest.mark.parametrize("case", HIERARCHICAL, ids=[case[0] for case in HIERARCHICAL])
@torch.no_grad()
def test_stages_by_stride_end_in_the_librarys_features(case):
    name, options, side, stages = case
    built, network = build(name, options, side), the_librarys(name, options, side)
    strides = {f"stage{number}": 2**number for number in stages}
    assert built.backbone.stage_strides == strides
    features = built(images(side)).features
    # Two ways of timm's: what it gives a detector from its last stage, or the features themselves.
    if name == "pit_ti_224":
        expected = network.forward_intermediates(images(side))[1][-1]
    else:
        expected = network.forward_features(images(side))
    if expected.dim() == 3:
        edge = features.shape[-1]
        expected = expected[:, -edge * edge :].transpose(1, 2).reshape(features.shape)
    elif expected.shape != features.shape:
        expected = expected.permute(0, 3, 1, 2)
    torch.testing.assert_close(features, expected)


@torch.no_grad()
def test_a_class_token_goes_through_all_stages_of_an_mvit():
    torch.manual_seed(0)
    config = MultiScaleVitCfg(depths=(1, 1, 1, 1), embed_dim=16, num_heads=1, use_cls_token=True)
    network = MultiScaleVit(config, img_size=64).eval()
    backbone = as_stages(network, BackboneSettings(name="mvit"), 64).eval()
    assert backbone.stage_strides == {f"stage{number}": 2**number for number in (2, 3, 4, 5)}
    features, prefix = backbone.with_prefix(images(64))
    expected = network.forward_features(images(64))
    torch.testing.assert_close(prefix, expected[:, :1])
    torch.testing.assert_close(features.flatten(2).transpose(1, 2), expected[:, 1:])


@torch.no_grad()
def test_a_pits_class_token_is_that_of_the_library():
    built, network = (make("pit_ti_224", {"depth": (1, 1, 1)}, 64) for make in (build, the_librarys))
    torch.testing.assert_close(built(images(64)).prefix, network.forward_features(images(64)))


@pytest.mark.parametrize("case", [PLAIN[0], PLAIN[3], HIERARCHICAL[0][:3], HIERARCHICAL[-3][:3]])
@pytest.mark.parametrize("attention", ["rfga", "adl", "residual", "bam", "nl", "none"])
def test_stage_attention_goes_after_the_last_stage_and_everything_learns(case, attention):
    at = ["-1"] if attention != "none" else []
    built = build(*case, attention={"name": attention, "at": at})
    output = built.train()(images(case[2]))
    assert output.class_maps.shape[1] == 4
    torch.testing.assert_close(output.logits, output.class_maps.mean(dim=(2, 3)))
    output.logits.square().sum().backward()
    idle = {name for name, one in built.named_parameters() if one.grad is None}
    assert idle <= built.parameters_without_gradient()


@torch.no_grad()
def test_a_place_inside_a_stage_is_after_that_block_and_leaves_prefix_tokens(monkeypatch):

    monkeypatch.setattr(ATTENTION, "get", {"doubled": Doubled}.__getitem__)
    built = build(*PLAIN[0], attention={"name": "doubled", "at": ["stage4.1"]})
    network = the_librarys(*PLAIN[0])
    # By hand: the patch tokens, not the class token, are doubled after the second block.
    x = network.norm_pre(network._pos_embed(network.patch_embed(images(64))))
    x = network.blocks[1](network.blocks[0](x))
    expected_map = x[:, 1:].mean(dim=2).reshape(2, 4, 4)
    x = torch.cat([x[:, :1], 2 * x[:, 1:]], dim=1)
    x = network.norm(network.blocks[2](x))
    output = built(images(64))
    torch.testing.assert_close(output.features.flatten(2).transpose(1, 2), x[:, 1:])
    torch.testing.assert_close(output.prefix, x[:, :1])
    torch.testing.assert_close(output.attention["stage4.1"], expected_map)
    assert [type(block).__name__ for block in built.backbone.tokens.blocks] == ["Block"] * 3


def test_attention_weights_are_read_where_the_contract_says():
    """A block's ``attn_drop`` gets softmax(q k / sqrt d), here from the block's own qkv by hand."""
    built = build(*PLAIN[1])
    block = built.backbone.tokens.blocks[0]
    block.attn.fused_attn = False
    seen: list[torch.Tensor] = []
    inputs: list[torch.Tensor] = []
    block.attn.attn_drop.register_forward_hook(lambda _, __, output: seen.append(output))
    block.attn.register_forward_hook(lambda _, given, __: inputs.append(given[0]))
    with torch.no_grad():
        built(images(48))
    x = inputs[0]
    query, key, _ = functional.linear(x, block.attn.qkv.weight, block.attn.qkv.bias).chunk(3, dim=-1)
    query, key = (part.reshape(2, 14, 3, 16).transpose(1, 2) for part in (query, key))
    torch.testing.assert_close(seen[0], (query @ key.mT / 4).softmax(dim=-1))


def test_two_passes_and_a_copy_do_not_share_what_travels_aside():
    built = build(*PLAIN[0])
    other = copy.deepcopy(built)
    first = built(images(64))
    second = built(images(64).flip(3))
    assert not torch.equal(first.prefix, second.prefix)
    assert torch.equal(other(images(64)).prefix, first.prefix)
    assert other.backbone.tokens.blocks[0] is other.backbone.stages["stage4"].trunk.blocks[0]


@pytest.mark.parametrize(
    ("name", "options", "side", "settings", "message"),
    [
        ("vit_tiny_patch16_224", TINY, 100, {}, "patches of 16 x 16 .* images of 100: .* to 96 or 112"),
        ("vit_small_patch14_dinov2", TINY, 224 + 1, {}, "of 14 x 14 .* of 225: .* to 224 or 238"),
        ("vit_base_patch32_224", TINY, 24, {}, "images of 24: set data.input_size to 32"),
        ("crossvit_tiny_240", {}, 240, {}, "gives a list of features"),
        (
            "swin_tiny_patch4_window7_224",
            {"embed_dim": 24, "depths": (1, 1, 1, 1)},
            64,
            {"backbone": {"name": "swin_tiny_patch4_window7_224", "strides": {"stage5": 1}}},
            "strides: those of swin_tiny_patch4_window7_224 are fixed",
        ),
        ("efficientformer_l1", {}, 64, {}, "set data.input_size to 224"),
        ("vit_tiny_patch16_224", TINY, 64, {"attention": {"name": "se"}}, "tokens.* stage module"),
        ("vit_tiny_patch16_224", TINY, 64, {"attention": {"name": "tdam"}}, "tokens.* stage module"),
        (
            "vit_tiny_patch16_224",
            TINY,
            64,
            {"attention": {"name": "rfga", "at": ["stage4.3"]}},
            "no place 'stage4.3'",
        ),
        (
            "vit_tiny_patch16_224",
            TINY,
            64,
            {"attention": {"name": "ltpa", "at": ["stage4.1"]}},
            "taps whole stages .* there are stage4",
        ),
        ("vit_tiny_patch16_224", TINY, 64, {"head": {"name": "native"}}, "not a CAM head"),
    ],
)
def test_refusals_are_one_line_and_say_what_there_is(name, options, side, settings, message):
    with pytest.raises(UserError, match=message) as error:
        build(name, options, side, **settings)
    assert "\n" not in str(error.value)


def test_a_plain_networks_cost_by_hand():
    found = cost(build(*PLAIN[0]), 64)
    tokens, width = 17, 48
    block = 12 * tokens * width**2 + 2 * tokens**2 * width
    expected = 16 * width * 3 * 16 * 16 + 3 * block + 16 * width * 4
    assert found["map_size"] == [4, 4]
    assert found["gflops"] * 1e9 == pytest.approx(expected)


def test_small_vit_ends_in_the_grid_of_the_small_resnet():
    built = build("small_vit", {}, 64)
    assert built.backbone.stage_strides == {"stage1": 2, "stage2": 4, "stage3": 8}
    assert built.backbone.tokens.is_plain and built(images(64)).prefix is None
    with_class = build("small_vit", {"class_token": True}, 64)
    assert with_class(images(64)).prefix.shape == (2, 1, 96)
    assert 300_000 < cost(built, 64)["params"] < 1_000_000


@pytest.mark.parametrize(
    "case", [PLAIN[0], HIERARCHICAL[0][:3], HIERARCHICAL[-3][:3], HIERARCHICAL[-1][:3]]
)
def test_source_names_are_the_librarys(case):
    built, network = build(*case), the_librarys(*case)
    theirs = network.state_dict()
    found = set()
    for path, link in built.backbone.source_names.items():
        for name, value in built.backbone.get_submodule(path).state_dict().items():
            assert torch.equal(value, theirs[f"{link}.{name}"])
            found.add(f"{link}.{name}")
    # Parameters beside the modules, and the classifier's, are all that is left.
    assert {name.partition(".")[0] for name in set(theirs) - found} <= {
        "cls_token",
        "pos_embed",
        "head",
    }
