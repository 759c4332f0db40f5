"""Other projects' tensor names, on tables of the same names and shapes made here."""

from __future__ import annotations

import pytest
import timm
import torch

from wsol.errors import UserError
from wsol.models.factory import build_localizer
from wsol.models.localizer import Localizer
from wsol.models.weights.weight_formats import from_wsolevaluation
from wsol.recipe import Recipe

PARAMETERS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def build(settings: dict, num_classes: int) -> Localizer:
    return build_localizer(Recipe.from_dict(settings), num_classes)


def tdam_state(gating: str, classes: int) -> dict[str, torch.Tensor]:
    """Names and shapes of TDAM's tdresnet18 with m = 2 and T = 2 in layer3 and layer4."""
    state = timm.create_model("resnet18", num_classes=classes).state_dict()
    for layer, width in (("layer3", 256), ("layer4", 512)):
        for block in (0, 1):
            name = f"{layer}.{block}"
            bottom = width // 2 if block == 0 else width
            hidden = width // 16
            for norm in ("bn1", "bn2"):
                state |= {f"{name}.{norm}_1.{part}": torch.zeros(width) for part in PARAMETERS[:4]}
                state[f"{name}.{norm}_1.num_batches_tracked"] = torch.tensor(0)
            attention = f"{name}.RA_block"
            if gating == "joint":
                state[f"{attention}.Ug_top_mlp.0.weight"] = torch.zeros(hidden, width, 1, 1)
                state[f"{attention}.Ug_bottom_mlp.0.weight"] = torch.zeros(hidden, bottom, 1, 1)
                state[f"{attention}.Ug_mlp.0.weight"] = torch.zeros(bottom, 2 * hidden, 1, 1)
            else:
                state[f"{attention}.Ug_mlp.0.weight"] = torch.zeros(hidden, width, 1, 1)
                state[f"{attention}.Ug_mlp.2.weight"] = torch.zeros(bottom, hidden, 1, 1)
    torch.manual_seed(0)
    return {
        key: torch.rand_like(value) if value.is_floating_point() else value
        for key, value in state.items()
    }


def tdam_recipe(path, gating: str) -> dict:
    return {
        "backbone": {"name": "resnet18"},
        "attention": {"name": "tdam", "options": {"gating": gating, "m": 2, "steps": 2}},
        "weights": {"name": "released", "file": str(path), "format": "tdam"},
    }


@pytest.mark.parametrize("gating", ["joint", "top_only"])
def test_tdams_released_resnets(tmp_path, gating):
    state = tdam_state(gating, classes=5)
    path = tmp_path / "tdresnet18.pth.tar"
    torch.save({"state_dict": state, "epoch": 1}, path)
    built = build(tdam_recipe(path, gating), 5)
    loaded = built.state_dict()
    values = sorted(float(value.sum()) for value in state.values())
    assert values == pytest.approx(sorted(float(value.sum()) for value in loaded.values()))
    block = built.placed["stage5.1"]
    assert torch.equal(block.block.conv2.weight, state["layer4.1.conv2.weight"])
    assert torch.equal(block.step_norms[0][0].weight, state["layer4.1.bn1_1.weight"])
    assert torch.equal(block.step_norms[0][1].running_var, state["layer4.1.bn2_1.running_var"])
    expand = "Ug_mlp.0" if gating == "joint" else "Ug_mlp.2"
    assert torch.equal(block.attention.expand.weight, state[f"layer4.1.RA_block.{expand}.weight"])
    assert torch.equal(built.head.classifier.weight[:, :, 0, 0], state["fc.weight"])


def test_tdams_classifier_may_have_other_classes(tmp_path):
    path = tmp_path / "tdresnet18.pth"
    torch.save(tdam_state("joint", classes=5), path)
    assert build(tdam_recipe(path, "joint"), 7).head.num_classes == 7


def test_a_native_head_keeps_the_files_classifier(tmp_path):
    path = tmp_path / "tdresnet18.pth"
    state = tdam_state("joint", classes=5)
    torch.save(state, path)
    settings = tdam_recipe(path, "joint") | {"head": {"name": "native"}}
    built = build(settings, 7)
    assert torch.equal(built.head.classifier.bias, state["fc.bias"])
    reloaded = build_localizer(Recipe.from_dict(settings), 5, load_weights=False)
    assert reloaded.state_dict().keys() == built.state_dict().keys()
    torch.save({name: value for name, value in state.items() if not name.startswith("fc")}, path)
    with pytest.raises(UserError, match="the weights file has no classifier"):
        build(settings, 7)


def test_another_gating_is_refused(tmp_path):
    path = tmp_path / "tdresnet18.pth"
    torch.save(tdam_state("top_only", classes=5), path)
    with pytest.raises(
        UserError, match=r"not weights of this resnet18: tensors \d+ missing .*bottom_reduce"
    ):
        build(tdam_recipe(path, "joint"), 5)


VGG = {
    "14x14": [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512],
    "28x28": [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, 512, 512, 512],
    # Poolings and drop layers have no weights, but take a number.
    "adl": [64, 64, "M", 128, 128, "M", 256, 256, 256, *"MA", 512, 512, 512, *"AM", 512, 512, 512, "A"],
}


def vgg_state(layers: list, classes: int) -> dict[str, torch.Size]:
    shapes = {}
    index, channels = 0, 3
    for layer in layers:
        if isinstance(layer, int):
            shapes |= {
                f"features.{index}.weight": (layer, channels, 3, 3),
                f"features.{index}.bias": (layer,),
            }
            channels = layer
        index += 2 if isinstance(layer, int) else 1
    shapes |= {"conv6.weight": (1024, 512, 3, 3), "conv6.bias": (1024,)}
    return shapes | {"fc.weight": (classes, 1024), "fc.bias": (classes,)}


def numbered(shapes: dict) -> dict[str, torch.Tensor]:
    """Tensors of these shapes that hold their own number, at the cost of one element each."""
    return {
        name: torch.full((), float(index)).expand(shape)
        for index, (name, shape) in enumerate(shapes.items())
    }


def on_meta(backbone: str, head: str, strides: dict) -> Localizer:
    with torch.device("meta"):
        return build({"backbone": {"name": backbone, "strides": strides}, "head": {"name": head}}, 6)


def assert_complete(state: dict[str, torch.Tensor], built: Localizer) -> None:
    shapes = {name: value.shape for name, value in built.state_dict().items()}
    assert {name: value.shape for name, value in state.items()} == shapes


@pytest.mark.parametrize(("layers", "strides"), [("14x14", {}), ("28x28", {"stage4": 1}), ("adl", {})])
def test_wsolevaluations_vgg16(layers, strides):
    state = numbered(vgg_state(VGG[layers], 6))
    built = on_meta("vgg16", "cam_conv", {"stage5": 1, **strides})
    renamed = from_wsolevaluation(state, built)
    assert_complete(renamed, built)
    # In order: theirs were numbered layer by layer, and so are ours.
    ours = [float(renamed[name].flatten()[0]) for name in built.state_dict()]
    assert ours == [float(index) for index in range(len(state))]


@pytest.mark.parametrize("skipped", [(), (1,)])
def test_wsolevaluations_resnet50(skipped):
    with torch.device("meta"):
        shapes = {
            k: v.shape for k, v in timm.create_model("resnet50", num_classes=6).state_dict().items()
        }
    # ADL after block 0 moves the later blocks of layer3 and layer4 one up.
    moved = {}
    for name, shape in shapes.items():
        parts = name.split(".")
        if skipped and parts[0] in ("layer3", "layer4") and int(parts[1]) >= skipped[0]:
            parts[1] = str(int(parts[1]) + 1)
        moved[".".join(parts)] = shape
    state = numbered(moved)
    built = on_meta("resnet50", "cam", {"stage5": 1})
    renamed = from_wsolevaluation(state, built)
    assert_complete(renamed, built)
    theirs = state["layer4.2.conv1.weight" if not skipped else "layer4.3.conv1.weight"].flatten()[0]
    assert renamed["backbone.stages.stage5.2.conv1.weight"].flatten()[0] == theirs


def test_wsolevaluations_inception():
    with torch.device("meta"):
        network = timm.create_model("inception_v3", num_classes=6).state_dict()
    shapes = {
        name: value.shape
        for name, value in network.items()
        if not name.startswith(("Mixed_7", "fc", "Aux"))
    }
    for name, channels in (("SPG_A3_1b.0", 768), ("SPG_A3_2b.0", 1024)):
        shapes |= {
            f"{name}.weight": torch.Size((1024, channels, 3, 3)),
            f"{name}.bias": torch.Size((1024,)),
        }
    shapes |= {"SPG_A4.weight": torch.Size((6, 1024, 1, 1)), "SPG_A4.bias": torch.Size((6,))}
    built = on_meta("inception_v3", "cam_conv2", {})
    assert_complete(from_wsolevaluation(numbered(shapes), built), built)
