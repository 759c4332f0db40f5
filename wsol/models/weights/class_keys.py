"""The classes of networks that come with their own classifier: their ordered keys and their names."""

from __future__ import annotations

from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset


def imagenet_keys() -> list[str]:
    """The 1,000 wnids of ILSVRC2012 in their standard order (sorted; 0 is n01440764, tench)."""
    return list(ImageNetInfo("imagenet-1k").label_names())


def class_keys_of(num_classes: int) -> list[str]:
    """The keys of a pretrained classifier's classes: wnids where their number is one of ImageNet's sets.

    Of any other number they are ``"0"``, ``"1"`` and so on: no library says what they are.
    """
    subset = _imagenet_of(num_classes)
    return list(subset.label_names()) if subset else [str(label) for label in range(num_classes)]


def class_names(class_keys: list[str]) -> list[str]:
    """What people call the classes: ImageNet's by their first word, others by their key."""
    words = {}
    if class_keys and class_keys[0].startswith("n0"):
        imagenet = _imagenet_of(len(class_keys)) or ImageNetInfo("imagenet-1k")
        words = {key: imagenet.label_name_to_description(key) for key in imagenet.label_names()}
    return [words.get(key, key).partition(",")[0] for key in class_keys]


def _imagenet_of(num_classes: int) -> ImageNetInfo | None:
    subset = infer_imagenet_subset({"num_classes": num_classes})
    return ImageNetInfo(subset) if subset else None
