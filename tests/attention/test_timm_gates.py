"""timm's modules: ours compute what timm's own factory's do, and what their gates say."""

from __future__ import annotations

import pytest
import torch
from timm.layers.create_attn import create_attn

from wsol.attention import ATTENTION
from wsol.attention.contract import Attended
from wsol.errors import UserError

FROM_TIMM = "bat cbam ceca coord eca ela ese gc gca nl se sk splat"


def shaken(module: torch.nn.Module) -> torch.nn.Module:
    """Parameters and statistics away from their starts, which hide what they multiply."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
        for name, buffer in module.named_buffers():
            if "running" in name:
                buffer += 0.3 * torch.rand_like(buffer)
    return module


@pytest.mark.parametrize("name", FROM_TIMM.split())
def test_the_same_numbers_as_timm(name):
    ours = shaken(ATTENTION.get(name)(64)).eval()
    theirs = create_attn(name, 64).eval()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 64, 14, 7)
    output = ours(x)
    features = output.features if isinstance(output, Attended) else output
    torch.testing.assert_close(features, theirs(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["ge", "bottleneck", "halo"])
def test_timm_still_breaks_what_is_left_out(name):
    # When this fails, it can be listed.
    with pytest.raises((TypeError, AssertionError)):
        create_attn(name, 64)(torch.randn(2, 64, 14, 14))


def test_gates_are_what_multiplies_the_features():
    torch.manual_seed(0)
    x = torch.rand(2, 16, 6, 9) + 0.5
    cbam = shaken(ATTENTION.get("cbam")(16)).eval()
    features, gate = cbam(x)
    # The channel gate is constant over positions, so ratios between positions are the spatial gate's.
    ratio = features / x
    torch.testing.assert_close(
        ratio[:, :, 2, 3] / ratio[:, :, 4, 1], (gate[:, 2, 3] / gate[:, 4, 1])[:, None].expand(2, 16)
    )
    for name in ("coord", "coordinate", "ela"):
        features, maps = shaken(ATTENTION.get(name)(16)).eval()(x)
        torch.testing.assert_close(maps["gate"], (features / x).mean(dim=1))
        assert maps["height"].shape == maps["width"].shape == (2, 6, 9)
        assert bool((maps["height"].std(dim=2) < 1e-6).all())
        assert bool((maps["width"].std(dim=1) < 1e-6).all())


def test_the_pooling_of_global_context_is_its_map():
    gca = shaken(ATTENTION.get("gca")(8)).eval()
    x = torch.randn(1, 8, 5, 4)
    features, maps = gca(x)
    context = (x * maps["softmax"][:, None]).sum(dim=(2, 3), keepdim=True)
    torch.testing.assert_close(features, x + gca.mlp_add(context), rtol=1e-5, atol=1e-6)
    assert int(maps["scores"].flatten().argmax()) == int(maps["softmax"].flatten().argmax())


def test_bat_says_which_sizes_it_takes():
    with pytest.raises(UserError, match="8x8 do not divide into blocks of 7x7"):
        ATTENTION.get("bat")(16)(torch.randn(1, 16, 8, 8))


def test_counts_in_resnet50_are_those_of_the_published_tables():
    # 25.557M is ResNet50 with 1000 classes; blocks a stage by output channels.
    blocks = {256: 3, 512: 4, 1024: 6, 2048: 3}

    def millions(name: str, **options) -> float:
        counts = {
            channels: sum(p.numel() for p in ATTENTION.get(name)(channels, **options).parameters())
            for channels in blocks
        }
        return (25_557_032 + sum(blocks[channels] * count for channels, count in counts.items())) / 1e6

    assert round(millions("se", bias=False), 2) == 28.07
    assert round(millions("cbam"), 2) == 28.07
    assert round(millions("eca"), 2) == 25.56
