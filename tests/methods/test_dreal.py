"""DREAL: what is counterfactual is really computed, rewards by hand, and who learns in which turn."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from wsol.attention.decisions import decide, mean_of, observed
from wsol.errors import UserError
from wsol.methods import dreal
from wsol.methods.build import build_method
from wsol.methods.dreal import ACTOR, CRITIC, Chances, Critic, rewards_of
from wsol.models.factory import build_localizer
from wsol.recipe import (
    AttentionSettings,
    BackboneSettings,
    DataSettings,
    MethodSettings,
    Recipe,
    TrainingSettings,
)
from wsol.training.device import launch
from wsol.training.turns import prepare_turns

KEYS = ["a", "b", "c"]


@pytest.fixture
def make():
    """A method around a small network with an attention, in training mode, and a batch."""

    def build(attention="se", options=None, **method):
        torch.manual_seed(5)
        recipe = Recipe(
            data=DataSettings(input_size=32, resize_size=32),
            backbone=BackboneSettings("small_resnet", options={"widths": [8, 12, 16], "blocks": 1}),
            attention=AttentionSettings(attention, options=options or {}),
            method=MethodSettings("dreal", method),
        )
        localizer = build_localizer(recipe, len(KEYS), KEYS)
        images, labels = torch.randn(6, 3, 32, 32), torch.tensor([0, 1, 2, 0, 1, 2])
        for _ in range(3):  # statistics of the norms, so that the mode matters
            localizer.train()(images)
        return build_method(recipe, localizer).train(), images, labels

    return build


def chance(localizer, images, labels):
    with torch.no_grad():
        logits = localizer.eval()(images).logits
    localizer.train()
    return logits.softmax(1)[torch.arange(len(labels)), labels]


def test_without_a_module_its_gate_is_the_mean_over_channels(make):
    """By hooks on the very layer that makes SE's gates, which know nothing of `decide`."""
    method, images, labels = make("se")
    found = method.chances(images, labels)
    modules = method.localizer.attention_modules
    assert found.p.shape == (1 + len(modules), 6) and len(modules) > 1
    torch.testing.assert_close(found.p[0], chance(method.localizer, images, labels))
    for number, module in enumerate(modules):
        hook = module.gate.register_forward_hook(
            lambda _, __, gate: gate.mean(dim=1, keepdim=True).expand_as(gate)
        )
        torch.testing.assert_close(found.p[1 + number], chance(method.localizer, images, labels))
        hook.remove()
    assert (found.p[1:] - found.p[0]).abs().max() > 1e-6


def test_copies_in_one_batch_say_the_same(make, monkeypatch):
    """As on a GPU, where all go through the network at once."""
    method, images, labels = make("se")
    singly = method.chances(images, labels)
    monkeypatch.setattr(dreal, "together_on", lambda device, copies: copies)
    batches = []
    hook = method.localizer.register_forward_pre_hook(lambda _, inputs: batches.append(len(inputs[0])))
    together = method.chances(images, labels)
    hook.remove()
    assert batches == [6 * len(singly.p)]
    torch.testing.assert_close(together.p, singly.p)
    assert torch.equal(together.right, singly.right)


def test_without_a_tap_ltpas_softmax_is_one_over_n(make):
    method, images, labels = make("ltpa")
    head = method.localizer.head.module
    found = method.chances(images, labels)
    assert method.actors.names == tuple(head.taps)
    for number, tap in enumerate(head.taps):

        def plain(block, inputs, output):
            local = block.projector(inputs[0])
            parts = local / (local.shape[2] * local.shape[3])
            return output._replace(descriptor=local.mean(dim=(2, 3)), parts=parts)

        hook = head.blocks[tap].register_forward_hook(plain)
        torch.testing.assert_close(found.p[1 + number], chance(method.localizer, images, labels))
        hook.remove()


@pytest.mark.parametrize("attention", ["cbam", "rfga", "tdam", "bam", "coordinate", "ela", "triplet"])
def test_every_decision_of_a_module_falls_silent(make, attention):
    """What the module itself shows while it is silent has one value an image."""
    method, images, _ = make(attention)

    class Kept:
        def __init__(self):
            self.gates = []

        def seen(self, module, gate, features):
            self.gates.append((module, mean_of(gate)))
            return mean_of(gate)

    kept = Kept()
    with torch.no_grad(), observed(kept):
        method.localizer.eval()(images)
    assert {module for module, _ in kept.gates} == set(method.actors.modules)
    for _, gate in kept.gates:
        flat = gate.flatten(1)
        torch.testing.assert_close(flat, flat[:, :1].expand_as(flat))


def test_looking_changes_nothing(make):
    """The counterfactual pass leaves weights, statistics, modes and the random state as they are."""
    method, images, labels = make("cbam")
    method.localizer.backbone.eval()  # a part that is frozen stays so
    before = {name: value.clone() for name, value in method.state_dict().items()}
    modes = [part.training for part in method.modules()]
    random = torch.get_rng_state()
    method.chances(images, labels)
    assert all(torch.equal(before[name], value) for name, value in method.state_dict().items())
    assert [part.training for part in method.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random)


def test_no_one_observes_outside_the_context():
    gate = torch.rand(2, 3, 1, 1)
    assert decide(torch.nn.Identity(), gate, torch.rand(2, 3, 4, 4)) is gate


def test_rewards_by_hand():
    chances = Chances(
        torch.tensor([[0.8, 0.4, 0.1], [0.4, 0.5, 0.9], [0.8, 0.1, 0.05]]),
        torch.tensor([True, False, True]),
    )
    # 1 - 0.4 / 0.8; wrong; 1 - 9, cut. Then 0; wrong; 1 - 0.05 / 0.1.
    expected = torch.tensor([[0.5, 0.0], [-1.0, -1.0], [-1.0, 0.5]])
    torch.testing.assert_close(rewards_of(chances, "relative_gain"), expected)
    # Right 1 1, 0, 1; the rest where p(y) is higher with the module than without.
    torch.testing.assert_close(
        rewards_of(chances, "scal"), torch.tensor([[2.0, 1.0], [0.0, 1.0], [1.0, 2.0]])
    )


def test_the_critics_word_reaches_the_attention_alone(make):
    """Gradients with it and without: equal but for the attention, whose is of minus the mean value."""
    method, images, labels = make("se", weight=0.0)
    state = {name: value.clone() for name, value in method.state_dict().items()}

    def gradients(weight):
        method.load_state_dict(state)
        method.weight = weight
        method.zero_grad()
        method.critic.requires_grad_(False)
        method(images, labels, ACTOR).loss.backward()
        method.critic.requires_grad_(True)
        return {name: one.grad for name, one in method.localizer.named_parameters()}

    plain, told = gradients(0.0), gradients(0.7)
    attention = {id(one) for one in method.localizer.parameter_groups()["attention"]}
    differs = set()
    for name, one in method.localizer.named_parameters():
        if not torch.equal(plain[name], told[name]):
            differs.add(name)
            assert id(one) in attention
    assert differs

    # By differences: the mean value along one parameter of the first module.
    def value(bias):
        method.load_state_dict(state)
        seen = []

        class Watch:
            def seen(self, module, gate, features):
                seen.append((gate, features.detach()))
                return gate

        parameter = method.localizer.attention_modules[-1].fc2.bias
        with torch.no_grad():
            parameter[0] += bias
            with observed(Watch()):
                method.localizer(images)
            states = [torch.cat([f.mean((2, 3)), g[:, :, 0, 0]], dim=1) for g, f in seen]
            return float(method.critic(states).double().mean())

    slope = (value(0.02) - value(-0.02)) / 0.04
    method.load_state_dict(state)
    name = next(n for n, p in method.localizer.named_parameters()
                if p is method.localizer.attention_modules[-1].fc2.bias)  # fmt: skip
    assert (told[name] - plain[name])[0].item() == pytest.approx(-0.7 * slope, rel=0.02)


def test_looking_first_costs_no_gradient_in_mixed_precision(make):
    """Autocast keeps cast weights: those of the pass without gradients must not serve the other."""
    method, images, labels = make("se")
    method.critic.requires_grad_(False)
    with torch.autocast("cpu", torch.bfloat16):
        method(images, labels, ACTOR).loss.backward()
    missing = [name for name, one in method.localizer.named_parameters() if one.grad is None]
    assert not missing
    assert method.localizer.backbone.stages["stage1"][0].weight.grad.abs().max() > 0


def test_each_turn_trains_its_own(make):
    method, images, labels = make("rfga")
    got = {}
    for turn in prepare_turns(method, TrainingSettings(), launch("cpu", "32-true")):
        method.zero_grad()
        turn.take(images, labels)
        got[turn.name] = {name for name, one in method.named_parameters() if one.grad is not None}
    assert list(got) == [ACTOR, CRITIC]
    assert all(name.startswith("localizer.") for name in got[ACTOR])
    assert got[CRITIC] == {name for name, _ in method.named_parameters() if name.startswith("critic.")}


def test_a_critic_learns_a_reward_that_is_known():
    """The reward of the second module is the first one's gate less its own: it has to remember."""
    torch.manual_seed(0)
    critic = Critic([3, 2], hidden=16)
    optimizer = torch.optim.Adam(critic.parameters(), lr=0.01)

    def batch(n):
        first, second = torch.rand(n, 3), torch.rand(n, 2)
        return [first, second], torch.stack([first[:, 0], first[:, 0] - second[:, 1]], dim=1)

    for _ in range(600):
        states, rewards = batch(64)
        optimizer.zero_grad()
        functional.mse_loss(critic(states), rewards).backward()
        optimizer.step()
    states, rewards = batch(500)
    with torch.no_grad():
        error = (critic(states) - rewards).square().mean(dim=0)
    assert (error < 0.03 * rewards.var(dim=0)).all()


def test_shuffled_rewards_are_the_same_dealt_otherwise(make):
    method, images, labels = make("se", shuffled=True)
    chances = method.chances(images, labels)
    true = rewards_of(chances, "relative_gain")
    torch.manual_seed(1)
    log = method(images, labels, ACTOR).log
    dealt = method._lesson.rewards
    assert not torch.equal(dealt, true)
    assert sorted(map(tuple, dealt.tolist())) == sorted(map(tuple, true.tolist()))
    for number, name in enumerate(method.actors.names):
        assert log[f"reward_{name}"].item() == pytest.approx(true[:, number].mean().item(), abs=1e-6)
        assert log[f"gain_{name}"].item() == pytest.approx(chances.gains[:, number].mean().item())


def test_nothing_of_it_is_left_at_inference(make):
    method, _, _ = make("tdam")
    assert method.trained() is method.localizer
    assert not any("critic" in name for name in method.trained().state_dict())


@pytest.mark.parametrize(
    ("attention", "options", "message"),
    [
        ("none", {}, "has none: name one, as in --attention se"),
        ("nl", {}, "NonLocal passes no gate or map"),
        ("simam", {}, "SimAM has no parameters"),
        ("se", {"reward": "relativ_gain"}, "did you mean 'relative_gain'"),
        ("se", {"weight": -1.0}, "at least 0"),
    ],
)
def test_what_cannot_be_judged_is_named(make, attention, options, message):
    with pytest.raises(UserError, match=message) as caught:
        make(attention, **options)
    assert "\n" not in str(caught.value)
