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
    "dvan": "wsol.attention.dvan:DVAN",
    "hourglass": "wsol.attention.hourglass:StackedHourglass",
    "multi_context": "wsol.attention.multi_context:MultiContextAttention",
    "plain": "wsol.attention.plain:Plain",
    "residual": "wsol.attention.residual:ResidualAttention",
    "sge": "wsol.attention.sge:SGE",
    "simam": "wsol.attention.simam:SimAM",
    "stn": "wsol.attention.spatial_transformer:SpatialTransformer",
    "triplet": "wsol.attention.triplet:TripletAttention",
    "bat": "wsol.attention.timm_stages:BAT",
    "cbam": "wsol.attention.timm_gates:CBAM",
    "ceca": "wsol.attention.timm_gates:CECA",
    "coord": "wsol.attention.timm_gates:Coord",
    "eca": "wsol.attention.timm_gates:ECA",
    "ela": "wsol.attention.timm_gates:ELA",
    "ese": "wsol.attention.timm_gates:ESE",
    "gc": "wsol.attention.timm_gates:GC",
    "gca": "wsol.attention.timm_gates:GCA",
    "nl": "wsol.attention.timm_stages:NonLocal",
    "se": "wsol.attention.timm_gates:SE",
    "sk": "wsol.attention.timm_stages:SK",
    "splat": "wsol.attention.timm_stages:SplAt",
}.items():
    ATTENTION.register(name, place)
