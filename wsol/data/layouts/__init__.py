"""Official layouts of data sets, one a file, each read into a draft of its manifest.

A new layout is one file, its card, and one line here. A layout from outside the repository needs none of
them: ``wsol prepare package.module:LAYOUT``.
"""

from __future__ import annotations

from wsol.data.layouts.layout import Layout
from wsol.registry import Registry

DATASETS: Registry[Layout] = Registry("data set", instance_of="wsol.data.layouts.layout:Layout")
for name, place in {
    "clutter": "wsol.data.layouts.clutter:LAYOUT",
    "cub": "wsol.data.layouts.cub:LAYOUT",
    "digits": "wsol.data.layouts.digits:LAYOUT",
    "imagenet": "wsol.data.layouts.imagenet:LAYOUT",
    "custom": "wsol.data.layouts.custom:LAYOUT",
    "imagenetv2": "wsol.data.layouts.imagenetv2:LAYOUT",
    "object_discovery": "wsol.data.layouts.object_discovery:LAYOUT",
    "openimages": "wsol.data.layouts.openimages:LAYOUT",
    "wsolevaluation": "wsol.data.layouts.wsolevaluation:LAYOUT",
}.items():
    DATASETS.register(name, place)
