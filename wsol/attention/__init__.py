"""Attention modules, one paper a file: feature maps in, feature maps (and attention maps) out.

A new module is one file and one line here; a module outside this repository needs no line at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsol.registry import Registry

if TYPE_CHECKING:
    from torch import nn

ATTENTION: Registry[type[nn.Module]] = Registry("attention", subclass_of="torch.nn:Module")
for name, place in {
    "rfga": "wsol.attention.rfga:RFGA",
    "tdam": "wsol.attention.tdam:TDAM",
    "ltpa": "wsol.attention.ltpa:LTPA",
    "adl": "wsol.attention.adl:ADL",
    "bam": "wsol.attention.bam:BAM",
    "coordinate": "wsol.attention.coordinate:CoordinateAttention",
    "plain": "wsol.attention.plain:Plain",
    "residual": "wsol.attention.residual:ResidualAttention",
    "sge": "wsol.attention.sge:SGE",
    "simam": "wsol.attention.simam:SimAM",
    "triplet": "wsol.attention.triplet:TripletAttention",
    "bat": "wsol.attention.library_stage:BAT",
    "cbam": "wsol.attention.library:CBAM",
    "ceca": "wsol.attention.library:CECA",
    "coord": "wsol.attention.library:Coord",
    "eca": "wsol.attention.library:ECA",
    "ela": "wsol.attention.library:ELA",
    "ese": "wsol.attention.library:ESE",
    "gc": "wsol.attention.library:GC",
    "gca": "wsol.attention.library:GCA",
    "nl": "wsol.attention.library_stage:NonLocal",
    "se": "wsol.attention.library:SE",
    "sk": "wsol.attention.library_stage:SK",
    "splat": "wsol.attention.library_stage:SplAt",
}.items():
    ATTENTION.register(name, place)
