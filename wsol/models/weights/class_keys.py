"""The ordered class keys of networks that come with their own classifier."""

from __future__ import annotations

from timm.data.imagenet_info import ImageNetInfo


def imagenet_keys() -> list[str]:
    """The 1,000 wnids of ILSVRC2012 in their standard order (sorted; 0 is n01440764, tench)."""
    return list(ImageNetInfo("imagenet-1k").label_names())
