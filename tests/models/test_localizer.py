"""The localizer: attention at its places, maps by name, parameters by part, steps lowered."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from wsol.attention.contract import GLOBAL, Attended, HeadOutput
from wsol.errors import UserError


class Doubling(nn.Module):
    """A stage module: twice the features; its map is what it saw."""

    def __init__(self, channels: int, factor: float = 2.0) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, x: Tensor) -> Attended:
        return Attended(self.factor * x, x)


class TwoMaps(Doubling):
    at = ("stage3", "stage5")
    default_map = "spatial"

    def forward(self, x: Tensor) -> Attended:
        return Attended(x, {"spatial": x.mean(dim=1), "later": x})


class Gate(Doubling):
    insertion = "block"
    at = ("-1",)


class Feedback(nn.Module):
    insertion = "feedback"

    def __init__(self, bottom_channels: int, top_channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(top_channels, bottom_channels, 1)

    def forward(self, bottom: Tensor, top: Tensor) -> Attended:
        vector = self.mix(top.mean(dim=(2, 3), keepdim=True))
        return Attended(bottom * torch.sigmoid(vector), bottom.mean(dim=1))


class Tapping(nn.Module):
    insertion = "head"
    at = ("-2", "-1")

    def __init__(self, stage_channels: dict[str, int], num_classes: int) -> None:
        super().__init__()
        self.stage_channels = stage_channels
        self.linear = nn.Linear(sum(stage_channels.values()), num_classes)

    def forward(self, stages: dict[str, Tensor]) -> HeadOutput:
        assert {name: value.shape[1] for name, value in stages.items()} == self.stage_channels
        assert list(stages) == list(self.stage_channels)
        vectors = [features.mean(dim=(2, 3)) for features in stages.values()]
        maps = {f"{name}.mean": value.mean(dim=1) for name, value in stages.items() if name != GLOBAL}
        return HeadOutput(self.linear(torch.cat(vectors, dim=1)), None, maps)


class Same(Doubling):
    identity_start = True

    def forward(self, x: Tensor) -> Attended:
        return Attended(x, x.mean(dim=1))


MODULES = {item.__name__: item for item in (Doubling, TwoMaps, Gate, Feedback, Tapping, Same)}


IMAGES = torch.linspace(-1, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)


def test_plain_localizer(localizer):
    built = localizer().eval()
    output = built(IMAGES)
    assert output.logits.shape == (2, 4)
    assert output.class_maps.shape == (2, 4, 4, 4)
    assert output.features.shape == (2, 96, 4, 4)
    assert output.attention == {}
    assert built.default_map is None
    assert built.class_keys == ["a", "b", "c", "d"]
    assert torch.equal(built.backbone(IMAGES), output.features)


def test_stage_attention_acts_after_its_stage(localizer):
    plain = localizer().eval()
    built = localizer("Doubling", at=["stage3"]).eval()
    built.load_state_dict(plain.state_dict(), strict=False)
    before, after = plain(IMAGES), built(IMAGES)
    torch.testing.assert_close(after.features, 2 * before.features)
    torch.testing.assert_close(after.attention["stage3"], before.features.mean(dim=1))


def test_which_attention_starts_as_identity(localizer):
    said = {
        name: localizer(name).starts_as_identity for name in ("none", "Doubling", "Same", "Feedback")
    }
    assert said == {"none": False, "Doubling": False, "Same": True, "Feedback": False}


def test_several_maps_are_named_by_place_and_key(localizer):
    built = localizer("TwoMaps", at=["-1", "stage1"]).eval()
    names = ["stage1.spatial", "stage1.later", "stage3.spatial", "stage3.later"]
    assert list(built(IMAGES).attention) == names
    assert built.attention_names() == names
    assert built.default_map == "stage3.spatial"


def test_default_places_of_five_stages_are_counted_from_the_end_of_three(localizer):
    assert list(localizer("TwoMaps").placed) == ["stage1", "stage3"]


def test_asking_for_names_leaves_the_mode_and_the_statistics(localizer):
    built = localizer("TwoMaps").train()
    before = copy.deepcopy(built.state_dict())
    assert built.default_map == "stage3.spatial"
    assert built.training
    assert all(torch.equal(value, before[name]) for name, value in built.state_dict().items())


def test_feedback_maps_and_steps(localizer):
    built = localizer("Feedback", at=["stage2", "stage3.0"], options={"steps": 3}).eval()
    names = ["stage2.0.t1", "stage2.0.t2", "stage3.0.t1", "stage3.0.t2"]
    full = built(IMAGES)
    assert list(full.attention) == names
    assert built.default_map == "stage3.0.t2"
    with built.at_step(2):
        assert list(built(IMAGES).attention) == names[::2]
    with built.at_step(1):
        lowered = built(IMAGES)
        idle = built.parameters_without_gradient()
        loss = built(IMAGES).logits.sum()
    assert lowered.attention == {}
    assert not torch.equal(lowered.logits, full.logits)
    loss.backward()
    assert {name for name, value in built.named_parameters() if value.grad is None} == idle
    assert torch.equal(built(IMAGES).logits, full.logits)
    with pytest.raises(UserError, match="steps=4"), built.at_step(4):
        pass
    with pytest.raises(UserError, match="no feedback"), localizer().at_step(1):
        pass


def test_head_attention_taps_stages_and_sees_the_whole_image(localizer):
    built = localizer("Tapping", at=["stage1", "stage2"]).eval()
    output = built(IMAGES)
    assert built.head.module.stage_channels == {"stage1": 32, "stage2": 64, GLOBAL: 96}
    assert list(output.attention) == ["stage1.mean", "stage2.mean"]
    assert output.class_maps is None
    assert output.features.shape == (2, 96, 4, 4)
    assert localizer("Tapping").head.module.stage_channels == {"stage2": 64, "stage3": 96}


@pytest.mark.parametrize("attention", ["none", "Doubling", "TwoMaps", "Gate", "Feedback", "Tapping"])
def test_every_parameter_is_in_one_group(localizer, attention):
    built = localizer(attention)
    groups = built.parameter_groups()
    assert list(groups) == ["backbone", "attention", "head"]
    members = [id(parameter) for group in groups.values() for parameter in group]
    assert sorted(members) == sorted(id(parameter) for parameter in built.parameters())
    assert bool(groups["attention"]) == (attention not in ("none", "Tapping"))
    plain = sum(parameter.numel() for parameter in localizer().parameter_groups()["backbone"])
    assert sum(parameter.numel() for parameter in groups["backbone"]) == plain


def test_late_stages_may_train_with_the_head(localizer):
    built = localizer("Gate")
    plain, late = built.parameter_groups(), built.parameter_groups("stage3")
    stage = {id(parameter) for parameter in built.backbone.stages["stage3"].parameters()}
    gates = {id(parameter) for parameter in plain["attention"]}
    moved = {id(one) for one in late["head"]} - {id(one) for one in plain["head"]}
    assert moved == stage - gates
    assert {id(one) for one in late["attention"]} == gates
    assert sorted(id(one) for group in late.values() for one in group) == sorted(
        map(id, built.parameters())
    )
    with pytest.raises(UserError, match="no stage 'stage9'"):
        built.parameter_groups("stage9")


def test_what_no_weights_fill_is_known(localizer):
    names = [name for name, _ in localizer().named_parameters()]
    assert sorted(localizer().as_drawn) == sorted(names)


def test_a_localizer_can_be_copied_after_a_pass(localizer):
    built = localizer("Feedback")
    built(IMAGES)
    built.stage_features(IMAGES)
    twin = copy.deepcopy(built).eval()
    assert torch.equal(twin(IMAGES).logits, built.eval()(IMAGES).logits)
    assert twin.placed["stage3.0"] is not built.placed["stage3.0"]
    assert any(part is twin.placed["stage3.0"] for part in twin.modules())


def test_weights_round_trip(localizer):
    built = localizer("Gate").eval()
    torch.manual_seed(9)
    other = localizer("Gate").eval()
    other.load_state_dict(built.state_dict())
    assert torch.equal(other(IMAGES).logits, built(IMAGES).logits)


def test_what_lies_above_the_last_tap_idles_where_the_head_ignores_it(localizer, monkeypatch):
    # LTPA's pc with softmax: u . g is the same at all positions and cancels out.
    monkeypatch.undo()
    built = localizer("ltpa", at=["stage1", "stage2"], options={"compatibility": "pc"}).double()
    built(IMAGES.double()).logits.square().sum().backward()
    idle = built.parameters_without_gradient()
    assert {name for name in idle if name.startswith("backbone.")} == {
        name for name, _ in built.named_parameters() if name.startswith("backbone.stages.stage3.")
    }
    for name, parameter in built.named_parameters():
        gradient = 0.0 if parameter.grad is None else float(parameter.grad.abs().max())
        assert (gradient < 1e-12) == (name in idle), name
