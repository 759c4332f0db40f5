"""Data: one data set layout a file, read into one manifest; the manifest into loaders.

A new data set is one file and one line here.
"""

from __future__ import annotations

from wsol.data.draft import Reader
from wsol.registry import Registry

DATASETS: Registry[Reader] = Registry("data set", instance_of="wsol.data.draft:Reader")
for name, place in {
    "clutter": "wsol.data.clutter:READER",
    "cub": "wsol.data.cub:READER",
    "imagenet": "wsol.data.imagenet:READER",
    "custom": "wsol.data.custom:READER",
    "imagenetv2": "wsol.data.imagenetv2:READER",
    "object_discovery": "wsol.data.object_discovery:READER",
    "openimages": "wsol.data.openimages:READER",
    "wsolevaluation": "wsol.data.wsolevaluation:READER",
}.items():
    DATASETS.register(name, place)
