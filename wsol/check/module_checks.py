"""The checks of a bare module: each takes a `ModuleUnderCheck` and returns a `Finding`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial

import torch
from safetensors.torch import load, save
from torch import Tensor

from wsol.check.finding import Finding, attempted, said
from wsol.check.gradient_checks import (
    finite_output,
    gradient_reaches_input,
    gradient_reaches_parameters,
    graph_is_kept,
)
from wsol.check.module_under_check import HEAD_CLASSES, ModuleUnderCheck

# Formats and batches may round differently, bf16 keeps 8 bits.
SAME = 1e-4
BF16_SAME = 0.1


def check_contract(checked: ModuleUnderCheck, *, compiled: bool = False) -> list[Finding]:
    """Run all checks of the bare module, and stop after a wrong shape or a random output.

    A check that raises has failed, with the exception as what was found.
    """
    findings: list[Finding] = []
    for check in [*CHECKS, *([compiles] if compiled else [])]:
        finding = attempted(check.__name__.replace("_", " "), partial(check, checked))
        findings.append(finding)
        if check in BASIC and not finding.passed:
            break
    return findings


def _same_shape(check: str, checked: ModuleUnderCheck, found: Tensor, batch: int) -> Finding:
    expected, shape = checked.expected(batch), tuple(found.shape)
    problem = ""
    if len(shape) != len(expected):
        problem = f"returns {len(shape)} dimensions"
    elif shape[2:] != expected[2:]:
        problem = "changes the spatial size"
    elif shape[1] != expected[1]:
        problem = "returns the wrong channels"
    elif shape[0] != expected[0]:
        problem = "changes the batch"
    return Finding(check, not problem, str(expected), str(shape), problem)


def shape_in_training(checked: ModuleUnderCheck) -> Finding:
    """The output's shape in training mode."""
    result = checked.run(checked.build().train(), checked.inputs())
    return _same_shape("shape in training", checked, result.output, 2)


def shape_at_test(checked: ModuleUnderCheck) -> Finding:
    """The output's shape in eval mode, of one image alone."""
    try:
        result = checked.run(checked.build().eval(), checked.inputs(batch=1))
    except Exception as error:
        expected = str(checked.expected(1))
        return Finding("shape at test", False, expected, said(error), "breaks under eval")
    return _same_shape("shape at test", checked, result.output, 1)


def determinism(checked: ModuleUnderCheck) -> Finding:
    """In training the same seed gives the same output and gradient, at test any seed does."""
    check, expected = "determinism", "two seeded runs the same"
    runs = []
    for _ in range(2):
        module, inputs = checked.build().train(), checked.inputs()
        torch.manual_seed(3)
        output = checked.run(module, inputs).output
        output.square().sum().backward()
        runs.append([output.detach(), *(one.grad for one in inputs if one.grad is not None)])
    if not all(torch.equal(first, second) for first, second in zip(*runs, strict=True)):
        return Finding(check, False, expected, "they differ", "draws outside torch's seed")
    module, inputs = checked.build().eval(), checked.inputs()
    first, second = (checked.run(module, inputs).output for _ in range(2))
    if not torch.equal(first, second):
        return Finding(check, False, "two calls in eval the same", "they differ", "draws at test")
    return Finding(check, True, expected, "the same")


def attention_maps(checked: ModuleUnderCheck) -> Finding:
    """Maps (N, h, w) or (N, C, h, w), finite, of the sizes of features; class maps (N, K, h, w)."""
    inputs = checked.inputs()
    result = checked.run(checked.build().eval(), inputs)
    grids = sorted({tuple(one.shape[2:]) for one in inputs}, reverse=True)
    expected = " or ".join(f"(2, {h}, {w}) or (2, C, {h}, {w})" for h, w in grids) + ", finite"
    sizes = [f"{name} {tuple(one.shape)}" for name, one in result.maps.items()]
    problem = ""
    for name, one in result.maps.items():
        if one.dim() not in (3, 4) or one.shape[0] != 2 or tuple(one.shape[-2:]) not in grids:
            problem = f"map {name} has the wrong shape"
        elif not bool(torch.isfinite(one).all()):
            problem = f"map {name} is not finite"
    classes = result.class_maps
    if classes is not None:
        sizes.append(f"class maps {tuple(classes.shape)}")
        if classes.dim() != 4 or classes.shape[:2] != (2, HEAD_CLASSES):
            expected, problem = f"(2, {HEAD_CLASSES}, h, w)", "class maps have the wrong shape"
    return Finding("attention maps", not problem, expected, ", ".join(sizes) or "none shown", problem)


def starts_as_identity(checked: ModuleUnderCheck) -> Finding:
    """A module that declares ``identity_start`` changes nothing while it is fresh."""
    check = "starts as identity"
    if not getattr(checked.module_class, "identity_start", False):
        return Finding(check, True, "as declared", "not declared")
    inputs = checked.inputs()
    output = checked.run(checked.build().eval(), inputs).output
    finding = _near(check, inputs[0], output, SAME, "declares identity_start, but a fresh one changes")
    return dataclasses.replace(finding, expected="the input, as declared")


def dtype(checked: ModuleUnderCheck) -> Finding:
    """Float32 in, finite float32 out."""
    output = checked.run(checked.build().eval(), checked.inputs()).output
    finite = bool(torch.isfinite(output).all())
    found = f"{output.dtype}, {'finite' if finite else 'not finite'}".removeprefix("torch.")
    problem = "" if finite and output.dtype == torch.float32 else "float32 does not stay so"
    return Finding("dtype", not problem, "float32, finite", found, problem)


def bf16(checked: ModuleUnderCheck) -> Finding:
    """Under bf16 autocast forward and backward run, near the float32 output."""
    module, inputs = checked.build().eval(), checked.inputs()
    plain = checked.run(module, inputs).output
    # Features come from convolutions, in bf16 themselves.
    features = [one.detach().bfloat16().requires_grad_() for one in inputs]
    with torch.autocast("cpu", torch.bfloat16):
        output = checked.run(module, features).output
    output.float().sum().backward()
    return _near("bf16", plain, output.float(), BF16_SAME, "bf16 autocast is far from float32")


def channels_last(checked: ModuleUnderCheck) -> Finding:
    """The memory format of the features does not change the output."""
    module, inputs = checked.build().eval(), checked.inputs()
    plain = checked.run(module, inputs).output
    module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    formatted = [one.detach().contiguous(memory_format=torch.channels_last) for one in inputs]
    output = checked.run(module, formatted).output
    return _near("channels last", plain, output, SAME, "channels_last gives another output")


def _near(check: str, plain: Tensor, output: Tensor, bound: float, problem: str) -> Finding:
    scale = max(1e-6, float(plain.detach().abs().max()))
    difference = float((plain - output).detach().abs().max()) / scale
    passed = difference <= bound
    return Finding(
        check,
        passed,
        f"within {bound:g} of its largest value",
        f"{difference:.1e}",
        "" if passed else problem,
    )


def eval_keeps_state(checked: ModuleUnderCheck) -> Finding:
    """In eval mode a call changes no buffer, and an image's output does not depend on its batch."""
    module, inputs = checked.build().eval(), checked.inputs()
    before = {name: one.clone() for name, one in module.state_dict().items()}
    together = checked.run(module, inputs).output
    alone = checked.run(module, [one[:1] for one in inputs]).output
    changed = [name for name, one in module.state_dict().items() if not torch.equal(one, before[name])]
    if changed:
        return Finding(
            "eval keeps state",
            False,
            "no change",
            f"{changed[0]} changed",
            "a call in eval changes the state",
        )
    return _near(
        "eval keeps state", together[:1], alone, SAME, "in eval an image's output depends on its batch"
    )


def save_and_load(checked: ModuleUnderCheck) -> Finding:
    """Through safetensors into a fresh module: the same output, bit for bit."""
    module, inputs = checked.build(seed=0), checked.inputs()
    # Two calls in training change the running statistics, which must be saved as well.
    for _ in range(2):
        checked.run(module.train(), inputs)
    fresh = checked.build(seed=7)
    fresh.load_state_dict(
        load(save({key: one.contiguous() for key, one in module.state_dict().items()}))
    )
    same = torch.equal(
        checked.run(module.eval(), inputs).output, checked.run(fresh.eval(), inputs).output
    )
    found = "the same" if same else "another output"
    problem = "" if same else "the state_dict does not hold all of the module"
    return Finding("save and load", same, "the same output, bit for bit", found, problem)


def compiles(checked: ModuleUnderCheck) -> Finding:
    """torch.compile gives the eager output."""
    module, inputs = checked.build().eval(), checked.inputs()
    plain = checked.run(module, inputs).output
    output = checked.run(torch.compile(module), inputs).output  # type: ignore[arg-type]
    return _near("torch.compile", plain, output, SAME, "the compiled module gives another output")


CHECKS: tuple[Callable[[ModuleUnderCheck], Finding], ...] = (
    shape_in_training,
    shape_at_test,
    finite_output,
    graph_is_kept,
    determinism,
    attention_maps,
    starts_as_identity,
    dtype,
    bf16,
    channels_last,
    gradient_reaches_input,
    gradient_reaches_parameters,
    eval_keeps_state,
    save_and_load,
)
# After one of these failed the others would only say the same less clearly.
BASIC = (shape_in_training, shape_at_test, finite_output, graph_is_kept, determinism)
