"""Data: one data set layout a file, read into one manifest; the manifest into loaders.

A new data set is one file and one line here.
"""

from __future__ import annotations

from wsol.data.draft import Reader
from wsol.registry import Registry

DATASETS: Registry[Reader] = Registry("data set")
for name, place in {
    "clutter": "wsol.data.clutter:READER",
    "cub": "wsol.data.cub:READER",
    "imagenet": "wsol.data.imagenet:READER",
}.items():
    DATASETS.register(name, place)
