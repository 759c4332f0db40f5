"""Blocks of timm and torchvision that gates fit into and feedback does not, and why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from wsol.models.networks.block_plan import BlockPlan, Gate

PRE_NORM = "has its norm before its convolutions, not after each"
JOINED = "joins its features to its input's channels instead of adding them"
SELECTS = "has attention of its own as a convolution"


def _out_channels(block: Any, name: str) -> int:
    """Channels after the last convolution in that submodule."""
    parts = block.get_submodule(name).modules()
    return [part.out_channels for part in parts if isinstance(part, nn.Conv2d)][-1]


def _behind(beside: str, why: str, wide: str = "", of: str = "") -> Callable[[Any], BlockPlan]:
    """An adapter: the branch ends behind ``beside``, whose channels are those of ``of``.

    ``wide`` is the last convolution wider than 1x1, for gates that want its output.
    """

    def adapter(block: Any) -> BlockPlan:
        gates = {"branch": Gate(beside, _out_channels(block, of or beside))}
        if wide:
            gates["convolution"] = Gate(wide, _out_channels(block, wide))
        return BlockPlan(gates=gates, no_feedback=why)

    return adapter


def _before(beside: str, of: str, why: str) -> Callable[[Any], BlockPlan]:
    """An adapter: the branch ends before ``beside``; ``of`` is its last convolution wider than 1x1."""

    def adapter(block: Any) -> BlockPlan:
        channels = _out_channels(block, of)
        gates = {"branch": Gate(beside, channels, before=True), "convolution": Gate(of, channels)}
        return BlockPlan(gates=gates, no_feedback=why)

    return adapter


def _convolution_alone(block: Any) -> BlockPlan | None:
    """timm's ConvBnAct: a stem or neck has no shortcut and is no residual block."""
    if not block.has_skip:
        return None
    gates = {
        "branch": Gate("bn1", block.conv.out_channels),
        "convolution": Gate("conv", block.conv.out_channels),
    }
    return BlockPlan(gates=gates, no_feedback="is one convolution whose norm activates too")


def _depthwise_separable(block: Any) -> BlockPlan | None:
    if not block.has_skip:
        return None
    gates = {
        "branch": Gate("bn2", block.conv_pw.out_channels),
        "convolution": Gate("conv_dw", block.conv_dw.out_channels),
        "expansion": Gate("bn1", block.conv_dw.out_channels),
    }
    return BlockPlan(gates=gates, no_feedback="does not expand its features as other residual blocks do")


def _ghost(block: Any) -> BlockPlan:
    gates = {"branch": Gate("ghost2", block.ghost2.out_chs)}
    return BlockPlan(
        gates=gates, no_feedback="makes its features in two parts, each with a norm of its own"
    )


def _universal(block: Any) -> BlockPlan:
    gates = {"branch": Gate("layer_scale", block.pw_proj.conv.out_channels)}
    if not isinstance(block.dw_mid, nn.Identity):
        gates["convolution"] = Gate("dw_mid.conv", block.dw_mid.conv.out_channels)
    gates["expansion"] = Gate("se", block.pw_proj.conv.in_channels, before=True)
    return BlockPlan(gates=gates, no_feedback="chooses its depthwise convolutions by its place")


GATED_BLOCKS: dict[str, Callable[[Any], BlockPlan | None]] = {
    "timm.models.convnext:ConvNeXtBlock": _before("drop_path", "conv_dw", PRE_NORM),
    "torchvision.models.convnext:CNBlock": _before("stochastic_depth", "block.0", PRE_NORM),
    "timm.models.densenet:DenseLayer": _behind("conv2", JOINED, wide="conv2"),
    "torchvision.models.densenet:_DenseLayer": _behind("conv2", JOINED, wide="conv2"),
    "torchvision.models.shufflenetv2:InvertedResidual": _behind("branch2", JOINED, wide="branch2.3"),
    "timm.models.ghostnet:GhostBottleneck": _ghost,
    "timm.models.byobnet:RepVggBlock": _before(
        "attn", "conv_kxk", "adds convolutions side by side, of which none is the last"
    ),
    "timm.models.xception_aligned:XceptionModule": _behind(
        "stack", "has separable convolutions with norms inside"
    ),
    "timm.models.sknet:SelectiveKernelBasic": _behind(
        "conv2.bn", SELECTS, wide="conv2.conv", of="conv2"
    ),
    "timm.models.sknet:SelectiveKernelBottleneck": _behind("conv3.bn", SELECTS, of="conv3"),
    "timm.models.resnest:ResNestBottleneck": _behind("bn3", SELECTS, of="conv3"),
    "timm.models._efficientnet_blocks:ConvBnAct": _convolution_alone,
    "timm.models._efficientnet_blocks:DepthwiseSeparableConv": _depthwise_separable,
    "timm.models._efficientnet_blocks:UniversalInvertedResidual": _universal,
}
