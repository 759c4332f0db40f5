"""Gates inside residual blocks: where they sit, and that they act before the shortcut."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from wsol.attention.contract import Attended
from wsol.models.localizer import Localizer


class Doubling(nn.Module):
    """A stage module: twice the features; its map is what it saw."""

    def __init__(self, channels: int, factor: float = 2.0) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, x: Tensor) -> Attended:
        return Attended(self.factor * x, x)


class Gate(Doubling):
    insertion = "block"
    at = ("-1",)


MODULES = {item.__name__: item for item in (Doubling, Gate)}


IMAGES = torch.linspace(-1, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)


@pytest.mark.parametrize("backbone", ["small_resnet", "resnet18", "mobilenetv2_035"])
def test_gates_act_before_the_shortcut(localizer, backbone):
    plain = localizer(backbone=backbone).eval()
    for part in plain.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.5)  # timm's last norms are zero, which hides gates
    built = localizer("Gate", backbone=backbone, options={"factor": 0.0}).eval()
    built.load_state_dict(renamed(plain, built), strict=False)
    last = built.backbone.resolve("-1")
    blocks = list(built.placed)
    assert blocks == [f"{last}.{number}" for number in range(len(blocks))]
    # A gate of zero leaves the shortcut alone: the stage is its shortcuts and activations.
    assert not torch.allclose(built(IMAGES).features, plain(IMAGES).features)
    for gate in built.placed.values():
        nn.init.ones_(gate.module.factor)
    assert torch.equal(built(IMAGES).features, plain(IMAGES).features)


def renamed(plain: Localizer, built: Localizer) -> dict[str, Tensor]:
    """The plain weights under the gated network's names: in order, gates apart."""
    names = [name for name in built.state_dict() if not name.endswith(".factor")]
    return dict(zip(names, plain.state_dict().values(), strict=True))


def test_a_zero_gate_leaves_the_shortcut(localizer):
    built = localizer("Gate", options={"factor": 0.0}).eval()
    stages = built.stage_features(IMAGES, ["stage2"])
    pooling, block = built.backbone.stages["stage3"]
    assert torch.equal(stages["stage3"], torch.relu(block.downsample(pooling(stages["stage2"]))))


def test_a_block_named_twice_has_one_gate(localizer):
    built = localizer("Gate", at=["stage3", "stage3.0"])
    assert list(built.placed) == ["stage3.0"]
    gates = [part for part in built.modules() if isinstance(part, Gate)]
    assert len(gates) == 1
    assert {id(one) for one in gates[0].parameters()} == {
        id(one) for one in built.parameter_groups()["attention"]
    }


@pytest.mark.parametrize(
    ("backbone", "gated", "width", "follows"),
    [
        # A bottleneck's 3x3 convolution is its second, an inverted residual's its depthwise one.
        ("resnet50", "branch", 2048, "bn3"),
        ("resnet50", "convolution", 512, "conv2"),
        ("resnet50", "expansion", 2048, "bn3"),
        ("mobilenetv2_035", "branch", 112, "bn3"),
        ("mobilenetv2_035", "convolution", 336, "conv_dw"),
        ("mobilenetv2_035", "expansion", 336, "bn2"),
    ],
)
def test_gates_sit_where_their_class_says(localizer, monkeypatch, backbone, gated, width, follows):
    monkeypatch.setattr(Gate, "gates", gated, raising=False)
    built = localizer("Gate", backbone=backbone, at=["stage5"]).eval()
    name, placed = list(built.placed.items())[-1]
    stage, _, number = name.partition(".")
    block = built.backbone.stages[stage][int(number)] if backbone != "resnet50" else None
    block = block or next(
        part for part in built.backbone.stages[stage].modules()
        if hasattr(part, "conv3") and placed in list(part.modules())
    )  # fmt: skip
    seen = {}
    placed.register_forward_hook(lambda _, inputs, __: seen.update(gated=inputs[0]))
    inner = block.get_submodule(follows)
    inner = inner[0] if isinstance(inner, torch.nn.Sequential) else inner
    inner.register_forward_hook(lambda _, __, output: seen.update(before=output))
    built(IMAGES)
    assert seen["gated"].shape[1] == width
    assert seen["gated"] is seen["before"]
