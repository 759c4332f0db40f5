"""What is inside a residual block, by name: the adapters that feedback reads blocks through.

A block of one's own needs no adapter here: give its class ``feedback_plan(self) -> BlockPlan``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from wsol.errors import UserError


@dataclass(frozen=True)
class Unit:
    """One convolution, its normalisation and what follows them, as submodule names of the block."""

    conv: str
    norm: str
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class BlockPlan:
    """How a residual block computes: its units, then ``before_sum``, plus shortcut, then ``after_sum``.

    Attributes:
        units: in the order of the data; nothing but the norm follows the last convolution.
        shortcut: submodules the block's input passes on its way round; empty is the identity.
        has_shortcut: False where nothing is added.
        inverted: it expands its features, and projects them in the end (MobileNetV2's).
        m: the distance that the paper recommends for such a block.
        options: defaults of the attention module in such a block, where its class has such options.
    """

    units: tuple[Unit, ...]
    shortcut: tuple[str, ...] = ()
    has_shortcut: bool = True
    before_sum: tuple[str, ...] = ()
    after_sum: tuple[str, ...] = ()
    inverted: bool = False
    m: int = 1
    options: Mapping[str, object] = field(default_factory=dict)


def plan_of(block: nn.Module, *, refuse: bool = True) -> BlockPlan | None:
    """The block's plan, or None where it is no residual block that is known here.

    Raises:
        UserError: with ``refuse``, a block with an inner SE or anti-aliasing layer, by its name: the
            published module has no place for them in its loop.
    """
    own = getattr(block, "feedback_plan", None)
    if own is not None:
        return own()
    # By name, since importing timm and torchvision only to ask costs seconds.
    adapter = ADAPTERS.get(f"{type(block).__module__}:{type(block).__name__}")
    if adapter is None:
        return None
    if refuse:
        _refuse_inner_layers(block)
    return adapter(block)


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


INNER_LAYERS = {"se": "channel attention", "aa": "anti-aliasing", "conv_s2d": "space-to-depth"}


def _refuse_inner_layers(block: nn.Module) -> None:
    for name, kind in INNER_LAYERS.items():
        inner = getattr(block, name, None)
        if inner is not None and not isinstance(inner, nn.Identity):
            raise UserError(
                f"{type(block).__name__} has {kind} inside ({name}: {type(inner).__name__}), which "
                "feedback has no place for: choose plain residual blocks, such as resnet50's"
            )


def _present(block: nn.Module, *names: str) -> tuple[str, ...]:
    """Those names that the block has something under (timm and torchvision write None for no layer)."""
    return tuple(name for name in names if getattr(block, name, None) is not None)


def _timm_basic(block: nn.Module) -> BlockPlan:
    # Paper: m = 2 for ResNet-18 and -34, the whole block.
    first = Unit("conv1", "bn1", _present(block, "drop_block", "act1"))
    return _residual(block, (first, Unit("conv2", "bn2")), "act2", m=2)


def _timm_bottleneck(block: nn.Module) -> BlockPlan:
    # Paper: m = 1 for ResNet-50 and -101, the last 1x1 convolution.
    units = (
        Unit("conv1", "bn1", _present(block, "act1")),
        Unit("conv2", "bn2", _present(block, "drop_block", "act2")),
        Unit("conv3", "bn3"),
    )
    return _residual(block, units, "act3", m=1)


def _torchvision_basic(block: nn.Module) -> BlockPlan:
    return _residual(block, (Unit("conv1", "bn1", ("relu",)), Unit("conv2", "bn2")), "relu", m=2)


def _torchvision_bottleneck(block: nn.Module) -> BlockPlan:
    units = (
        Unit("conv1", "bn1", ("relu",)),
        Unit("conv2", "bn2", ("relu",)),
        Unit("conv3", "bn3"),
    )
    return _residual(block, units, "relu", m=1)


def _residual(block: nn.Module, units: tuple[Unit, ...], activation: str, m: int) -> BlockPlan:
    return BlockPlan(
        units,
        shortcut=_present(block, "downsample"),
        before_sum=_present(block, "drop_path"),
        after_sum=(activation,),
        m=m,
    )


# The paper has no inverted residuals. An adaptation: the projection's norm is the top, its input the
# bottom. A projection is thin (32 channels or so), so a sixteenth of it would leave no searchlight.
_THIN: dict[str, Any] = {"min_hidden": 8}


def _timm_inverted(block: Any) -> BlockPlan:
    units = (Unit("conv_pw", "bn1"), Unit("conv_dw", "bn2"), Unit("conv_pwl", "bn3"))
    return BlockPlan(
        units,
        has_shortcut=block.has_skip,
        before_sum=_present(block, "drop_path"),
        inverted=True,
        options=_THIN,
    )


def _torchvision_inverted(block: Any) -> BlockPlan:
    expansions = len(block.conv) - 2
    units = tuple(Unit(f"conv.{i}.0", f"conv.{i}.1", (f"conv.{i}.2",)) for i in range(expansions))
    last = Unit(f"conv.{expansions}", f"conv.{expansions + 1}")
    return BlockPlan((*units, last), has_shortcut=block.use_res_connect, inverted=True, options=_THIN)


ADAPTERS: dict[str, Callable[[nn.Module], BlockPlan]] = {
    "timm.models.resnet:BasicBlock": _timm_basic,
    "timm.models.resnet:Bottleneck": _timm_bottleneck,
    "timm.models._efficientnet_blocks:InvertedResidual": _timm_inverted,
    "torchvision.models.resnet:BasicBlock": _torchvision_basic,
    "torchvision.models.resnet:Bottleneck": _torchvision_bottleneck,
    "torchvision.models.mobilenetv2:InvertedResidual": _torchvision_inverted,
}
