"""Official layouts of data sets, one a file, each read into a draft of its manifest.

A new layout is one file, its card, and one line here.
"""

from __future__ import annotations

from wsol.data.manifest.manifest_draft import Reader
from wsol.registry import Registry

DATASETS: Registry[Reader] = Registry("data set", instance_of="wsol.data.manifest.manifest_draft:Reader")
for name, place in {
    "clutter": "wsol.data.layouts.clutter:READER",
    "cub": "wsol.data.layouts.cub:READER",
    "imagenet": "wsol.data.layouts.imagenet:READER",
    "custom": "wsol.data.layouts.custom:READER",
    "imagenetv2": "wsol.data.layouts.imagenetv2:READER",
    "object_discovery": "wsol.data.layouts.object_discovery:READER",
    "openimages": "wsol.data.layouts.openimages:READER",
    "wsolevaluation": "wsol.data.layouts.wsolevaluation:READER",
}.items():
    DATASETS.register(name, place)
