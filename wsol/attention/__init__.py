"""Attention modules, one paper a file: feature maps in, feature maps (and attention maps) out.

A new module is one file and one line here; a module outside this repository needs no line at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsol.registry import Registry

if TYPE_CHECKING:
    from torch import nn

ATTENTION: Registry[type[nn.Module]] = Registry("attention")
for name, place in {
    "rfga": "wsol.attention.rfga:RFGA",
    "tdam": "wsol.attention.tdam:TDAM",
    "ltpa": "wsol.attention.ltpa:LTPA",
}.items():
    ATTENTION.register(name, place)
