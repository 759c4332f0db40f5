"""LTPA: the reference's numbers, every variant's shapes, and the logits split into positions."""

from __future__ import annotations

import itertools

import pytest
import torch

from wsol.attention.contract import GLOBAL
from wsol.attention.ltpa import LTPA, CompatibilityBlock
from wsol.attention.ltpa_classifier import spread
from wsol.errors import UserError

NAMES = {"projector_conv": "projector", "compatibility_conv": "compatibility"}
CHANNELS = {"stage4": 6, "stage5": 8}
VARIANTS = list(
    itertools.product(("dp", "pc"), ("concat", "indep"), ("softmax", "sigmoid"), ("down", "up"))
)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(3)


def features(channels: dict[str, int]) -> dict[str, torch.Tensor]:
    sizes = {"stage4": (9, 7), "stage5": (4, 3), GLOBAL: (1, 1)}
    return {stage: torch.randn(2, width, *sizes[stage]) for stage, width in channels.items()}


@pytest.mark.golden
def test_released_code(golden_cases):
    for case in golden_cases("attention_ltpa.npz"):
        local, vector = (case[f"inputs/{name}"].requires_grad_() for name in ("local", "global"))
        widths = local.shape[1], vector.shape[1]
        assert (widths[0] != widths[1]) == case.config["projector"]
        block = CompatibilityBlock(*widths, "pc", case.config["normalisation"])
        case.load(block, NAMES)
        found = block.eval()(local, vector)
        case.compare("eval/descriptor", found.descriptor.detach())
        case.compare("eval/compatibility", found.score.detach().unsqueeze(1))
        case.compare("eval/attention_map", found.attention.detach().unsqueeze(1))
        torch.testing.assert_close(found.parts.sum(dim=(2, 3)), found.descriptor)
        (found.descriptor * case["grad/loss_weights"]).sum().backward()
        case.compare("grad/local", local.grad)
        case.compare("grad/global", vector.grad)
        case.compare_gradients(block, NAMES)
        trained = block.train()(local, vector)
        case.compare("train/descriptor", trained.descriptor.detach())
        case.compare("train/compatibility", trained.score.detach().unsqueeze(1))


@pytest.mark.parametrize("normalisation", ["softmax", "sigmoid"])
def test_dot_product_compatibility_position_by_position(normalisation):
    local, vector = torch.randn(2, 4, 3, 5), torch.randn(2, 4, 1, 1)
    found = CompatibilityBlock(4, 4, "dp", normalisation)(local, vector)
    for n in range(2):
        positions = [local[n, :, i, j] for i in range(3) for j in range(5)]
        score = torch.stack([position @ vector[n].flatten() for position in positions])
        if normalisation == "softmax":
            share = score.exp() / score.exp().sum()
        else:
            share = 1 / (1 + (-score).exp()) / len(positions)
        torch.testing.assert_close(found.score[n].flatten(), score)
        torch.testing.assert_close(
            found.descriptor[n], sum(s * p for s, p in zip(share, positions, strict=True))
        )


@pytest.mark.parametrize(("compatibility", "fusion", "normalisation", "project"), VARIANTS)
@pytest.mark.parametrize("with_global", [False, True])
def test_positions_add_up_to_the_logits(compatibility, fusion, normalisation, project, with_global):
    channels = CHANNELS | ({GLOBAL: 10} if with_global else {})
    head = LTPA(channels, 5, compatibility, fusion, normalisation, project).eval()
    stages = features(channels)
    logits, class_maps, maps = head(stages)
    assert logits.shape == (2, 5)
    assert class_maps.shape == (2, 5, 9, 7)
    torch.testing.assert_close(class_maps.mean(dim=(2, 3)), logits, rtol=1e-5, atol=1e-5)
    assert set(maps) == {f"{stage}.{kind}" for stage in CHANNELS for kind in ("score", normalisation)}
    assert maps["stage4.score"].shape == (2, 9, 7)
    assert maps["stage5.score"].shape == (2, 4, 3)
    assert head.default_map == "stage5.score"


def test_class_maps_are_the_votes_of_positions():
    """One tap, dp, softmax, concat: a_i w_c . l_i, here added up one by one."""
    head = LTPA({"stage5": 4}, 3).eval()
    stages = {"stage5": torch.randn(1, 4, 2, 3)}
    logits, class_maps, maps = head(stages)
    weight, bias = head.classifier.linear.weight, head.classifier.linear.bias
    for c, i, j in itertools.product(range(3), range(2), range(3)):
        share = maps["stage5.softmax"][0, i, j].item()
        vote = sum(share * weight[c, d].item() * stages["stage5"][0, d, i, j].item() for d in range(4))
        # Six positions, so that their mean is the logit.
        assert class_maps[0, c, i, j].item() == pytest.approx(6 * vote + bias[c].item(), abs=1e-5)
    torch.testing.assert_close(class_maps.mean(dim=(2, 3)), logits)


def test_taps_of_different_size_keep_their_shares():
    """Taking a tap's descriptor away takes the same from the logits and from the maps."""
    head = LTPA(CHANNELS, 5, compatibility="pc").eval()
    stages = features(CHANNELS)
    whole = head(stages)
    # Under pc with softmax, g is nothing: zeroing the deeper stage changes that tap alone.
    without = head({**stages, "stage5": torch.zeros_like(stages["stage5"])})
    torch.testing.assert_close(
        (whole.class_maps - without.class_maps).mean(dim=(2, 3)), whole.logits - without.logits
    )
    assert (whole.logits - without.logits).abs().min() > 0


def test_class_maps_wait_for_the_test():
    head = LTPA(CHANNELS, 5).train()
    stages = features(CHANNELS)
    trained = head(stages)
    assert trained.class_maps is None
    assert torch.equal(trained.logits, head.eval()(stages).logits)


def test_spread_shares_a_value_among_the_pixels_it_covers():
    votes = torch.tensor([[[[1.0, 2.0, 3.0]]]])
    found = spread(votes, 2, 5)
    # Five columns over three: pixels 0 and 1, 2 and 3, 4; two rows each take half of that.
    assert found[0, 0].tolist() == [[0.25, 0.25, 0.5, 0.5, 1.5]] * 2
    torch.testing.assert_close(spread(torch.ones(1, 1, 7, 3), 13, 11).sum(), torch.tensor(21.0))


def test_independent_taps_add_their_log_probabilities():
    head = LTPA(CHANNELS, 3, fusion="indep")
    captured = {}
    head.classifier.register_forward_pre_hook(lambda _, inputs: captured.update(enumerate(inputs[0])))
    logits = head(features(CHANNELS)).logits
    expected = sum(
        torch.log(torch.softmax(captured[tap] @ linear.weight.T + linear.bias, dim=1))
        for tap, linear in enumerate(head.classifier.linears)
    )
    torch.testing.assert_close(logits, expected)


def test_author_head_rectifies_before_every_linear_layer_and_has_no_class_maps():
    head = LTPA(CHANNELS, 5, author_head=True)
    assert head.eval()(features(CHANNELS)).class_maps is None
    kinds = [type(part).__name__ for part in head.modules()]
    # Two descriptors, and g on its way down to the narrower stage.
    assert kinds.count("BatchNorm1d") == kinds.count("ReLU") == kinds.count("Dropout") == 3
    plain = [type(part).__name__ for part in LTPA(CHANNELS, 5).modules()]
    assert "BatchNorm1d" not in plain


@pytest.mark.parametrize(("compatibility", "fusion", "normalisation", "project"), VARIANTS)
@pytest.mark.parametrize("author_head", [False, True])
def test_gradients_reach_all_but_the_declared(
    compatibility, fusion, normalisation, project, author_head
):
    head = LTPA(CHANNELS, 5, compatibility, fusion, normalisation, project, author_head).double()
    stages = {stage: x.double() for stage, x in features(CHANNELS).items()}
    torch.nn.functional.cross_entropy(head(stages).logits, torch.tensor([1, 4])).backward()
    idle = {
        name for name, parameter in head.named_parameters()
        if parameter.grad is None or parameter.grad.abs().max() < 1e-12
    }  # fmt: skip
    assert idle == head.parameters_without_gradient()


def test_only_pc_with_softmax_ignores_the_global_vector():
    for compatibility, normalisation in itertools.product(("dp", "pc"), ("softmax", "sigmoid")):
        head = LTPA({**CHANNELS, GLOBAL: 8}, 5, compatibility, normalisation=normalisation)
        stages = features({**CHANNELS, GLOBAL: 8})
        moved = {**stages, GLOBAL: stages[GLOBAL] + 1}
        same = torch.allclose(head(stages).logits, head(moved).logits, atol=1e-5)
        assert same == (compatibility == "pc" and normalisation == "softmax")
        assert bool(head.parameters_without_gradient()) == same


@pytest.mark.parametrize(
    ("channels", "options", "message"),
    [
        (CHANNELS, {"compatibility": "dot"}, "dp, pc"),
        (CHANNELS, {"fusion": "concatenate"}, "'concat'"),
        (CHANNELS, {"project": "upwards"}, "down, up"),
        ({GLOBAL: 8}, {}, "attention.at"),
    ],
)
def test_bad_options_are_named(channels, options, message):
    with pytest.raises(UserError, match=message):
        LTPA(channels, 5, **options)
