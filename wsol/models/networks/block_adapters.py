"""Residual blocks of timm and torchvision that are chains of convolutions: feedback and gates go in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from wsol.models.networks.block_plan import BlockPlan, Unit


def present(block: nn.Module, *names: str) -> tuple[str, ...]:
    """Those names that the block has something under (timm and torchvision write None for no layer)."""
    return tuple(name for name in names if getattr(block, name, None) is not None)


def _timm_basic(block: nn.Module) -> BlockPlan:
    # Paper: m = 2 for ResNet-18 and -34, the whole block.
    first = Unit("conv1", "bn1", present(block, "drop_block", "act1"))
    return _residual(block, (first, Unit("conv2", "bn2")), "act2", m=2)


def _timm_bottleneck(block: nn.Module) -> BlockPlan:
    # Paper: m = 1 for ResNet-50 and -101, the last 1x1 convolution.
    units = (
        Unit("conv1", "bn1", present(block, "act1")),
        Unit("conv2", "bn2", present(block, "drop_block", "act2")),
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
        shortcut=present(block, "downsample"),
        before_sum=present(block, "drop_path"),
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
        before_sum=present(block, "drop_path") if block.has_skip else (),
        inverted=True,
        options=_THIN,
    )


def _torchvision_inverted(block: Any) -> BlockPlan:
    expansions = len(block.conv) - 2
    units = tuple(Unit(f"conv.{i}.0", f"conv.{i}.1", (f"conv.{i}.2",)) for i in range(expansions))
    last = Unit(f"conv.{expansions}", f"conv.{expansions + 1}")
    return BlockPlan((*units, last), has_shortcut=block.use_res_connect, inverted=True, options=_THIN)


def _timm_edge(block: Any) -> BlockPlan:
    return BlockPlan(
        (Unit("conv_exp", "bn1"), Unit("conv_pwl", "bn2")),
        has_shortcut=block.has_skip,
        before_sum=present(block, "drop_path") if block.has_skip else (),
        inverted=True,
        options=_THIN,
    )


def _chained(links: Any, prefix: str, more: Callable[[str, nn.Module], Unit | None]) -> tuple[Unit, ...]:
    """The units of a chain of blocks, without the parts that ``more`` finds no unit in."""
    found = [more(f"{prefix}.{name}", part) for name, part in links.named_children()]
    return tuple(unit for unit in found if unit is not None)


def _conv_norm_act(name: str, part: Any) -> Unit | None:
    """torchvision's Conv2dNormActivation; None for what stands between (SE)."""
    if not isinstance(part, nn.Sequential):
        return None
    return Unit(f"{name}.0", f"{name}.1", tuple(f"{name}.{i}" for i in range(2, len(part))))


def _torchvision_mobile(block: Any) -> BlockPlan:
    # MobileNetV3's; EfficientNet's drop whole branches before the sum.
    drop = present(block, "stochastic_depth") if block.use_res_connect else ()
    return BlockPlan(
        _chained(block.block, "block", _conv_norm_act),
        has_shortcut=block.use_res_connect,
        before_sum=drop,
        inverted=True,
        options=_THIN,
    )


def _mnasnet(block: Any) -> BlockPlan:
    units = (
        Unit("layers.0", "layers.1", ("layers.2",)),
        Unit("layers.3", "layers.4", ("layers.5",)),
        Unit("layers.6", "layers.7"),
    )
    return BlockPlan(units, has_shortcut=block.apply_residual, inverted=True, options=_THIN)


def _timm_regnet(block: Any) -> BlockPlan:
    return BlockPlan(
        tuple(Unit(f"conv{i}.conv", f"conv{i}.bn") for i in (1, 2, 3)),
        shortcut=present(block, "downsample"),
        has_shortcut=block.downsample is not None,
        before_sum=("drop_path",) if block.downsample is not None else (),
        after_sum=("act3",),
    )


def _torchvision_regnet(block: Any) -> BlockPlan:
    return BlockPlan(
        _chained(block.f, "f", _conv_norm_act),
        shortcut=present(block, "proj"),
        after_sum=("activation",),
    )


def _res2net(block: Any) -> BlockPlan:
    # Its 3x3 convolutions feed each other in groups; the last 1x1, the paper's m = 1, stands alone.
    return BlockPlan(
        (Unit("conv3", "bn3"),),
        shortcut=present(block, "downsample"),
        before_sum=present(block, "drop_path"),
        after_sum=("relu",),
        lead=_res2net_lead,
    )


def _res2net_lead(block: Any, x: Tensor) -> Tensor:
    """What comes before its last convolution: groups of channels, each fed by the one before."""
    groups = block.relu(block.bn1(block.conv1(x))).split(block.width, dim=1)
    made: list[Tensor] = []
    for number, (conv, norm) in enumerate(zip(block.convs, block.bns, strict=True)):
        alone = number == 0 or block.is_first
        group = groups[number] if alone else made[-1] + groups[number]
        made.append(block.relu(norm(conv(group))))
    if block.scale > 1:
        made.append(groups[-1] if block.pool is None else block.pool(groups[-1]))
    return block.drop_block(torch.cat(made, dim=1))


def _xception(block: Any) -> BlockPlan:
    # (ReLU,) separable convolution, norm, ReLU, ..., norm, (pooling): units as the norms end them.
    names = list(block.rep._modules)
    kinds = [type(part).__name__ for part in block.rep]
    first = kinds.index("SeparableConv2d")
    starts = [i for i, kind in enumerate(kinds) if kind == "SeparableConv2d"]
    units = [
        Unit(f"rep.{names[i]}", f"rep.{names[i + 1]}", (f"rep.{names[i + 2]}",)) for i in starts[:-1]
    ]
    last = starts[-1]
    units.append(Unit(f"rep.{names[last]}", f"rep.{names[last + 1]}"))
    return BlockPlan(
        tuple(units),
        shortcut=("skip", "skipbn") if block.skip is not None else (),
        before_sum=tuple(f"rep.{name}" for name in names[last + 2 :]),
        lead=_xception_lead if first else None,
    )


def _xception_lead(block: Any, x: Tensor) -> Tensor:
    return block.rep[0](x)


ADAPTERS: dict[str, Callable[[nn.Module], BlockPlan]] = {
    "timm.models.resnet:BasicBlock": _timm_basic,
    "timm.models.resnet:Bottleneck": _timm_bottleneck,
    "timm.models._efficientnet_blocks:InvertedResidual": _timm_inverted,
    "timm.models._efficientnet_blocks:EdgeResidual": _timm_edge,
    "timm.models.regnet:Bottleneck": _timm_regnet,
    "timm.models.res2net:Bottle2neck": _res2net,
    "timm.models.xception:Block": _xception,
    "torchvision.models.efficientnet:MBConv": _torchvision_mobile,
    "torchvision.models.efficientnet:FusedMBConv": _torchvision_mobile,
    "torchvision.models.mnasnet:_InvertedResidual": _mnasnet,
    "torchvision.models.mobilenetv3:InvertedResidual": _torchvision_mobile,
    "torchvision.models.regnet:ResBottleneckBlock": _torchvision_regnet,
    "torchvision.models.resnet:BasicBlock": _torchvision_basic,
    "torchvision.models.resnet:Bottleneck": _torchvision_bottleneck,
    "torchvision.models.mobilenetv2:InvertedResidual": _torchvision_inverted,
}
