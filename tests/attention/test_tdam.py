"""TDAM's module: the released code's numbers, and its equations position by position."""

from __future__ import annotations

import pytest
import torch

from wsol.attention.contract import check_options
from wsol.attention.tdam import TDAM
from wsol.errors import UserError

NAMES = {
    "top_reduce_conv": "top_reduce",
    "bottom_reduce_conv": "bottom_reduce",
    "combine_conv": "expand",
    "expand_conv": "expand",
}


@pytest.mark.golden
def test_released_code(golden_cases):
    for case in golden_cases("attention_tdam.npz"):
        bottom, top = (case[f"inputs/{name}"].requires_grad_() for name in ("bottom", "top"))
        module = TDAM(bottom.shape[1], top.shape[1], **case.config)
        case.load(module, NAMES)
        output, _ = module.eval()(bottom, top)
        case.compare("eval/output", output.detach())
        case.compare("eval/searchlight", module.searchlight(bottom, top).detach())
        (output * case["grad/loss_weights"]).sum().backward()
        case.compare("grad/bottom", bottom.grad)
        case.compare("grad/top", top.grad)
        case.compare_gradients(module, NAMES)
        module.train()
        case.compare("train/output", module(bottom, top)[0].detach())
        case.compare("train/searchlight", module.searchlight(bottom, top).detach())


def test_equations_position_by_position():
    torch.manual_seed(1)
    bottom, top = torch.randn(2, 3, 4, 5), torch.randn(2, 32, 2, 2)
    module = TDAM(3, 32, reduction=16)
    features, maps = module(bottom, top)
    for n in range(2):
        above = (module.top_reduce.weight[:, :, 0, 0] @ top[n].mean(dim=(1, 2))).clamp(min=0)
        below = (module.bottom_reduce.weight[:, :, 0, 0] @ bottom[n].mean(dim=(1, 2))).clamp(min=0)
        light = module.expand.weight[:, :, 0, 0] @ torch.cat([above, below])
        for i, j in [(0, 0), (3, 4), (1, 2)]:
            selected = bottom[n, :, i, j] / (1 + torch.exp(-light))
            expected = 1 / (1 + torch.exp(-(light @ selected)))
            torch.testing.assert_close(maps["gate"][n, i, j], expected)
            torch.testing.assert_close(features[n, :, i, j], selected * expected)


@pytest.mark.parametrize(
    ("top_channels", "options", "hidden"),
    [(64, {}, 4), (40, {}, 2), (8, {}, 1), (8, {"min_hidden": 8}, 8), (64, {"reduction": 4}, 16)],
)
def test_hidden_width(top_channels, options, hidden):
    assert TDAM(4, top_channels, **options).top_reduce.out_channels == hidden


def test_the_wrappers_options_pass_the_check():
    check_options(TDAM, {"m": 1, "steps": 3, "gating": "top_only"})
    with pytest.raises(UserError, match="'gating'"):
        check_options(TDAM, {"gatings": "joint"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gating": "top"}, "'top_only'"),
        ({"pooling": ["max"]}, "avp, mp"),
        ({"pooling": []}, "pooling"),
        ({"combine": "mean"}, "avg, sum"),
        ({"reduction": 0}, "1 or more"),
        ({"min_hidden": 0}, "1 or more"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(UserError, match=message):
        TDAM(4, 32, **options)
