"""The checks of gradients: they must reach every input and every parameter that is not declared idle."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wsol.attention.contract import declared_without_gradient
from wsol.check.finding import Finding
from wsol.check.module_under_check import ModuleUnderCheck, shake

# Several seeds, since with one of them all units of a narrow ReLU layer may be zero.
SEEDS = (0, 1, 2)
REACHES, BROKEN, DEAD = "reaches", "not finite", "zero everywhere"


def finite_output(checked: ModuleUnderCheck) -> Finding:
    """In training and at test no output is NaN or infinite."""
    found = []
    for mode in (True, False):
        output = checked.run(checked.build().train(mode), checked.inputs()).output
        bad = int((~torch.isfinite(output)).sum())
        if bad:
            found.append(f"{bad:,} of {output.numel():,} are not {'in training' if mode else 'at test'}")
    problem = "the output holds NaN or infinity" if found else ""
    return Finding("finite output", not found, "all finite", ", ".join(found) or "all", problem)


def graph_is_kept(checked: ModuleUnderCheck) -> Finding:
    """The output hangs on its inputs: nothing detaches it, or leaves torch on the way."""
    output = checked.run(checked.build().train(), checked.inputs()).output
    problem = "" if output.requires_grad else "cut off by detach(), .data, no_grad() or NumPy"
    found = "a gradient can flow" if not problem else "none can flow"
    return Finding("graph is kept", not problem, "gradients can flow through the output", found, problem)


def gradient_reaches_input(checked: ModuleUnderCheck) -> Finding:
    """Every input gets a gradient in one of three fresh modules, and never one that is not finite."""
    states: dict[int, set[str]] = {}
    for seed in SEEDS:
        module, inputs = checked.build(seed).train(), checked.inputs(seed=seed + 10)
        _backward(checked, module, inputs, seed)
        # What declares idle parameters may have an idle input with them (g under LTPA's softmax).
        for index, one in enumerate(inputs[:1] if declared_without_gradient(module) else inputs):
            states.setdefault(index, set()).add(_gradient_state(one))
    bad = [
        f"{', '.join(sorted(state))} at input {index}"
        for index, state in states.items()
        if REACHES not in state or BROKEN in state
    ]
    problem = "an input gets no gradient" if bad else ""
    found = bad[0] if bad else "yes"
    return Finding("gradient reaches input", not bad, "finite, not zero", found, problem)


def gradient_reaches_parameters(checked: ModuleUnderCheck) -> Finding:
    """Every parameter but the declared ones gets a gradient, in one of three fresh modules.

    Its parameters are moved a little first, since a start at zero (such as a last norm's weight) stops
    gradients on the first step by design. It runs in eval mode, since batch statistics take away
    whatever constant is added before them, and with it that constant's gradient.
    """
    reached: set[str] = set()
    module = checked.build()
    for seed in SEEDS:
        module = checked.build(seed).eval()
        shake(module, seed)
        _backward(checked, module, checked.inputs(seed=seed + 10), seed)
        reached |= {name for name, one in module.named_parameters() if _gradient_state(one) == REACHES}
    wanted = {name for name, one in module.named_parameters() if one.requires_grad}
    declared = declared_without_gradient(module)
    missing = sorted(wanted - reached - declared)
    found = f"{len(wanted & reached)} of {len(wanted)}" + (
        f", {len(declared)} declared" if declared else ""
    )
    if missing:
        found += f"; none: {', '.join(missing[:3])}" + (" ..." if len(missing) > 3 else "")
    problem = (
        "parameters get no gradient and are not in parameters_without_gradient()" if missing else ""
    )
    return Finding("gradient reaches parameters", not missing, "every undeclared one", found, problem)


def _backward(checked: ModuleUnderCheck, module: nn.Module, inputs: Sequence[Tensor], seed: int) -> None:
    output = checked.run(module, inputs).output
    generator = torch.Generator().manual_seed(seed)
    (output * torch.randn(output.shape, generator=generator)).sum().backward()


def _gradient_state(tensor: Tensor) -> str:
    if tensor.grad is None:
        return "no gradient"
    if not bool(torch.isfinite(tensor.grad).all()):
        return BROKEN
    return REACHES if bool(tensor.grad.any()) else DEAD
