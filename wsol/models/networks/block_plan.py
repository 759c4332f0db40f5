"""What is inside a residual block, by name: where gates go, and what feedback runs again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor


class Unit(NamedTuple):
    """One convolution, its normalisation and what follows them, as submodule names of the block."""

    conv: str
    norm: str
    after: tuple[str, ...] = ()


class Gate(NamedTuple):
    """Where a gate goes: behind the submodule ``beside``, or before it; its ``channels`` are given."""

    beside: str
    channels: int
    before: bool = False


@dataclass(frozen=True)
class BlockPlan:
    """How a residual block computes: its units, then ``before_sum``, plus shortcut, then ``after_sum``.

    Attributes:
        units: in the order of the data; nothing but the norm follows the last convolution. Empty where
            the block is no such chain: feedback then has no place in it, and ``no_feedback`` says why.
        shortcut: submodules the block's input passes on its way round; empty is the identity.
        has_shortcut: False where nothing is added.
        inverted: it expands its features, and projects them in the end (MobileNetV2's).
        m: the distance that the paper recommends for such a block.
        options: defaults of the attention module in such a block, where its class has such options.
        lead: what the block does to its input before the units, ``lead(block, x)``; None is nothing.
        gates: places of gates by what they gate (`wsol.attention.contract.GATED`), where the units do
            not say it; a block without units needs ``branch``.
        no_feedback: why feedback cannot go in, in words that follow the block's name.
    """

    units: tuple[Unit, ...] = ()
    shortcut: tuple[str, ...] = ()
    has_shortcut: bool = True
    before_sum: tuple[str, ...] = ()
    after_sum: tuple[str, ...] = ()
    inverted: bool = False
    m: int = 1
    options: Mapping[str, object] = field(default_factory=dict)
    lead: Callable[[Any, Tensor], Tensor] | None = None
    gates: Mapping[str, Gate] = field(default_factory=dict)
    no_feedback: str = ""
