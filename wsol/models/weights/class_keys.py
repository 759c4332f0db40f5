"""The classes of networks that come with their own classifier: their ordered keys and their names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset

WNID = re.compile(r"n\d{8}")


def imagenet_keys() -> list[str]:
    """The 1,000 wnids of ILSVRC2012 in their standard order (sorted; 0 is n01440764, tench)."""
    return list(ImageNetInfo("imagenet-1k").label_names())


def class_keys_of(num_classes: int) -> list[str]:
    """The keys of a pretrained classifier's classes: wnids where their number is one of ImageNet's sets.

    Of any other number they are ``"0"``, ``"1"`` and so on: no library says what they are.
    """
    subset = infer_imagenet_subset({"num_classes": num_classes})
    if subset is None:
        return [str(label) for label in range(num_classes)]
    return list(ImageNetInfo(subset).label_names())


def full_names(class_keys: Sequence[str]) -> list[str]:
    """Name and synonyms of each class by commas, ``tench, Tinca tinca``; of what is no wnid the key."""
    wnids = [key for key in class_keys if WNID.fullmatch(key)]
    names = {}
    if wnids:
        imagenet = ImageNetInfo("imagenet-1k")  # its names are those of all of ImageNet
        for wnid in wnids:
            try:
                names[wnid] = imagenet.label_name_to_description(wnid)
            except KeyError:  # a wnid that no ImageNet has
                continue
    return [names.get(key, key) for key in class_keys]


def class_names(class_keys: list[str]) -> list[str]:
    """What people call the classes: ImageNet's by their first word, others by their key."""
    names = zip(class_keys, full_names(class_keys), strict=True)
    return [key if name == key else name.partition(",")[0] for key, name in names]
