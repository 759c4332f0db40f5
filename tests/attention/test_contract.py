"""One contract test over every registered attention module."""

from __future__ import annotations

import pytest
import torch

from wsol.attention import ATTENTION
from wsol.check.module_checks import check_contract
from wsol.check.module_under_check import ModuleUnderCheck

# Multiples of 7 (BAT's blocks), not square, and wide enough for a sixteenth to be a few channels.
SHAPES = {"stage4": (32, 28, 14), "stage5": (64, 14, 7)}
# One stage, whose sides can be halved four times.
HALVED = {"stage5": (64, 32, 16)}
# Of the sides that the tutorial's localizer needs.
SEEN = {"stage5": (16, 32, 28)}


@pytest.mark.parametrize("name", ATTENTION.names())
def test_contract(name):
    shapes = {"hourglass": HALVED, "dvan": HALVED, "stn": SEEN}.get(name, SHAPES)
    checked = ModuleUnderCheck(name, ATTENTION.get(name), shapes)
    findings = check_contract(checked)
    assert len(findings) == 14
    assert [finding.line for finding in findings if not finding.passed] == []


@pytest.mark.parametrize("name", ATTENTION.names())
def test_what_says_that_it_starts_as_identity_does(name):
    module_class = ATTENTION.get(name)
    if not getattr(module_class, "identity_start", False):
        pytest.skip("makes no such claim")
    checked = ModuleUnderCheck(name, module_class, SEEN if name == "stn" else SHAPES)
    inputs = checked.inputs()
    output = checked.run(checked.build().eval(), inputs).output
    torch.testing.assert_close(output, inputs[0])


@pytest.mark.parametrize("name", ATTENTION.names())
def test_every_class_says_what_it_is_and_where_it_goes(name):
    module_class = ATTENTION.get(name)
    first_line = (module_class.__doc__ or "").partition("\n")[0]
    assert len(first_line) > 20
    assert module_class.insertion in ("stage", "block", "feedback", "head")
