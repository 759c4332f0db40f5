"""RFGA: the released MoANA code's numbers, the parameter formula, and every ablation by hand."""

from __future__ import annotations

import pytest
import torch

from wsol.attention.rfga import RFGA, VIEWS
from wsol.errors import UserError

NAMES = {f"{view}_{theirs}": f"gates.{view}.{ours}" for view in VIEWS for theirs, ours in
         (("conv", "conv"), ("bn", "norm"))}  # fmt: skip


@pytest.mark.golden
def test_released_code(golden_cases):
    for case in golden_cases("attention_rfga.npz"):
        x = case["inputs/input"].requires_grad_()
        module = RFGA(x.shape[1], kernel=case.config["kernel_size"], gate=case.config["final"])
        case.load(module, NAMES)
        output, attention = module.eval()(x)
        case.compare("eval/output", output.detach())
        for view in VIEWS:
            case.compare(f"eval/{view}_gate", module.gates[view](x).detach())
        gates = sum(case[f"eval/{view}_gate"] for view in VIEWS)
        torch.testing.assert_close(attention.detach(), gates, rtol=1e-4, atol=1e-5)
        (output * case["grad/loss_weights"]).sum().backward()
        case.compare("grad/input", x.grad)
        case.compare_gradients(module, NAMES)
        case.compare("train/output", module.train()(x)[0].detach())
        case.compare_statistics(module, NAMES)


@pytest.mark.parametrize("channels", [96, 512, 2048])
def test_parameter_formula(channels):
    with torch.device("meta"):
        module = RFGA(channels)
    found = sum(parameter.numel() for parameter in module.parameters())
    assert found == 6 * channels**2 + 6 * channels + 3
    assert channels != 2048 or found == 25_178_115


@torch.no_grad()
def slow_gate(module: RFGA, view: str, x: torch.Tensor, n: int, c: int, i: int, j: int) -> float:
    """One value of one view's gate without norm, by the definition: a sum over taps and channels."""
    kernel = module.gates[view].conv.weight
    reach = kernel.shape[2] // 2
    total = 0.0
    for tap in range(kernel.shape[2]):
        at = {"channel": c, "height": i, "width": j}[view] + tap - reach
        if view == "channel":
            if 0 <= at < x.shape[1]:
                total += float(kernel[0, 0, tap] * x[n, at].mean())
            continue
        if not 0 <= at < x.shape[2 if view == "height" else 3]:
            continue
        line = x[n, :, at, :].mean(dim=1) if view == "height" else x[n, :, :, at].mean(dim=1)
        total += float((kernel[c, :, tap] * line).sum())
    return 1 / (1 + torch.exp(torch.tensor(-total)).item())


@pytest.mark.parametrize(
    ("views", "fusion", "residual"),
    [
        (VIEWS, "sum", True),
        (VIEWS, "product", True),
        (("height", "width"), "product", False),
        (("channel",), "sum", False),
        (("width",), "sum", True),
    ],
)
def test_ablations_follow_the_definition(views, fusion, residual):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 4, 5)
    module = RFGA(3, views=views, fusion=fusion, residual=residual, norm=False)
    features, attention = module(x)
    for place in [(0, 0, 0, 0), (1, 2, 3, 4), (0, 1, 2, 3)]:
        gates = [slow_gate(module, view, x, *place) for view in views]
        expected = sum(gates) if fusion == "sum" else torch.tensor(gates).prod().item()
        assert attention[place].item() == pytest.approx(expected, rel=1e-5)
        scale = expected + 1 if residual else expected
        assert features[place].item() == pytest.approx(x[place].item() * scale, rel=1e-5)


@pytest.mark.parametrize("views", [VIEWS, ("height", "width"), ("channel", "width")])
def test_a_coarse_gate_is_one_for_a_channel_and_one_for_a_position(views):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 4, 5)
    module = RFGA(3, views=views, norm=False, grain="coarse")
    features, attention = module(x)
    for n, c, i, j in [(0, 0, 0, 0), (1, 2, 3, 4), (0, 1, 2, 3)]:
        expected = sum(
            slow_gate(module, "channel", x, n, c, i, j) for view in views if view == "channel"
        )
        for view in views:
            if view != "channel":
                expected += sum(slow_gate(module, view, x, n, other, i, j) for other in range(3)) / 3
        assert attention[n, c, i, j].item() == pytest.approx(expected, rel=1e-5)
        assert features[n, c, i, j].item() == pytest.approx(
            x[n, c, i, j].item() * (1 + expected), rel=1e-5
        )
    # So the difference between two channels is the same at every position.
    apart = attention - attention[:, :1]
    torch.testing.assert_close(apart, apart[:, :, :1, :1].expand_as(apart))


def test_a_coarse_gate_costs_as_many_parameters():
    fine, coarse = (
        sum(p.numel() for p in RFGA(8, grain=grain).parameters()) for grain in ("fine", "coarse")
    )
    assert fine == coarse == 6 * 8**2 + 6 * 8 + 3


def test_without_norms_none_is_left():
    kinds = [type(part).__name__ for part in RFGA(4, norm=False).modules()]
    assert "BatchNorm1d" not in kinds
    assert [type(part).__name__ for part in RFGA(4).modules()].count("BatchNorm1d") == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": 4}, "odd"),
        ({"views": ["hight"]}, "'height'"),
        ({"views": []}, "some of"),
        ({"views": ["width", "width"]}, "each once"),
        ({"fusion": "max"}, "product, sum"),
        ({"gate": "one"}, "one_plus_sum"),
        ({"grain": "rough"}, "coarse"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(UserError, match=message):
        RFGA(4, **options)
