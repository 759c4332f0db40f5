"""Residual blocks that are known here, and the words for those that are not.

A block of one's own needs no adapter here: give its class ``feedback_plan(self) -> BlockPlan``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from torch import nn

from wsol.errors import UserError
from wsol.models.networks.block_adapters import ADAPTERS
from wsol.models.networks.block_plan import BlockPlan, Gate, Unit
from wsol.models.networks.gated_blocks import GATED_BLOCKS
from wsol.models.networks.tokens.stage import TokenStage

__all__ = ["BlockPlan", "Gate", "Unit", "plan_of", "residual_blocks", "unknown_blocks"]

# By name, since importing timm and torchvision only to ask costs seconds.
KNOWN: dict[str, Callable[[Any], BlockPlan | None]] = {**ADAPTERS, **GATED_BLOCKS}

INNER_LAYERS = {"se": "channel attention", "aa": "anti-aliasing", "conv_s2d": "space-to-depth"}

# Small layers of the libraries that are parts of a chain, and no blocks.
LAYERS = ("ConvNormAct", "Conv2dNormActivation", "BasicConv2d", "BatchNormAct2d", "SimpleStemIN")

INSTEAD = (
    "give the class `feedback_plan`, or choose a stage module, or another backbone such as resnet50"
)


def plan_of(block: nn.Module, *, refuse: bool = True) -> BlockPlan | None:
    """The block's plan, or None where it is no residual block that is known here.

    Raises:
        UserError: with ``refuse``, a block that feedback cannot go into, by its name and with the
            reason: an inner SE or anti-aliasing layer, for which the published module has no place in
            its loop, or another build than convolutions with their norms.
    """
    own = getattr(block, "feedback_plan", None)
    if own is not None:
        return own()
    adapter = KNOWN.get(_kind(block))
    plan = adapter(block) if adapter is not None else None
    if refuse and plan is not None:
        _refuse_inner_layers(block)
        if not plan.units:
            raise UserError(
                f"{type(block).__name__} {plan.no_feedback}, so feedback has no place in it: choose "
                "a gate (--attention.name se) or a stage module, or plain blocks such as resnet50's"
            )
    return plan


def residual_blocks(network: nn.Module, names: Sequence[str]) -> Iterator[str]:
    """Paths of the residual blocks in these submodules of the network, in order, none inside another."""
    for path in names:
        module = network.get_submodule(path)
        if plan_of(module, refuse=False) is not None:
            yield path
        else:
            yield from residual_blocks(
                network, [f"{path}.{child}" for child, _ in module.named_children()]
            )


def unknown_blocks(network: nn.Module, names: Iterable[str]) -> str:
    """What is known of the blocks in these submodules, where none is known here; how to go on."""
    modules = [network.get_submodule(name) for name in names]
    if any(isinstance(module, TokenStage) for module in modules):
        return (
            "its blocks work on tokens, and this attention goes into residual blocks of convolutions: "
            "choose a stage module (--attention.name rfga), or another backbone such as resnet50"
        )
    kinds = Counter(kind for module in modules for kind in _outermost(module))
    if not kinds:
        return f"it is plain convolutions, without blocks to go into: {INSTEAD}"
    library = {"torchvision": "torchvision's ", "timm": "timm's "}
    (module, name), _ = kinds.most_common(1)[0]
    whose = library.get(module.partition(".")[0], "") + module.rpartition(".")[2].strip("_")
    return f"blocks of this kind are not known here ({whose} {name}): {INSTEAD}"


def _outermost(module: nn.Module) -> list[tuple[str, str]]:
    """Classes of a library's or one's own modules, below its containers of stages."""
    kind = type(module)
    own = not kind.__module__.startswith("torch.") and kind.__name__ not in LAYERS
    if own and list(module.children()) and "Stage" not in kind.__name__:
        return [(kind.__module__, kind.__name__)]
    return [found for child in module.children() for found in _outermost(child)]


def _kind(block: nn.Module) -> str:
    return f"{type(block).__module__}:{type(block).__name__}"


def _refuse_inner_layers(block: nn.Module) -> None:
    for path, inner in block.named_modules():
        name = path.rpartition(".")[2]
        kind = INNER_LAYERS.get(name, "")
        if type(inner).__name__ == "SqueezeExcitation":  # torchvision numbers its layers
            kind = INNER_LAYERS["se"]
        if kind and not isinstance(inner, nn.Identity):
            raise UserError(
                f"{type(block).__name__} has {kind} inside ({name}: {type(inner).__name__}), which "
                "feedback has no place for: choose plain residual blocks, such as resnet50's"
            )
