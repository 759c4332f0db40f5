"""A pretrained classifier of timm or torchvision as a recipe: weights, preprocessing, head."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from torch import nn

from wsol.errors import UserError
from wsol.models.heads import native_head
from wsol.models.networks.by_name import create_network, library_of
from wsol.models.weights.loading import settled
from wsol.recipe import (
    BackboneSettings,
    DataSettings,
    EvaluationSettings,
    HeadSettings,
    Recipe,
    TrainingSettings,
    WeightsSettings,
)


class Preprocessing(NamedTuple):
    """The library's name of the weights, the side of their images in pixels, and mean and std of RGB."""

    name: str
    side: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def is_pretrained(name: str) -> bool:
    """Whether ``name`` is one of ``timm:NAME`` and ``torchvision:NAME``."""
    return bool(library_of(name)[0])


def pretrained_recipe(name: str, file: Path | str | None = None) -> Recipe:
    """The recipe, without training, of ``timm:resnet50`` or ``torchvision:vgg16``.

    Images are squashed to the side that the weights were made for, nothing is cut off, and normalised
    as the library does. ``file`` holds the weights; without it the library loads, and may download,
    its own.

    Where the classifier is a linear layer after global average pooling, its class maps are read; for any
    other classifier Grad-CAM's.

    Raises:
        UserError: an unknown network, one without pretrained weights, a file of another network.
    """
    library, bare = library_of(name)
    network = create_network(name, {})
    card = _timm_card(bare, bool(file)) if library == "timm" else _torchvision_card(bare)
    cam = _is_cam_head(bare, network)
    weights = WeightsSettings(
        name=Path(file).stem if file else library,
        file=str(file or ""),
        mean=card.mean,
        std=card.std,
    )
    backbone = BackboneSettings(name=f"{library}:{card.name}")
    return Recipe(
        data=DataSettings(name="", input_size=card.side, resize_size=card.side),
        backbone=backbone,
        weights=settled(weights, backbone),
        head=HeadSettings(name="native" if cam else "classifier"),
        training=TrainingSettings(epochs=0),
        evaluation=EvaluationSettings(maps=["cam"] if cam else ["torchcam:GradCAM"]),
        pretraining="ImageNet-1k classification",
    )


def _timm_card(name: str, has_file: bool) -> Preprocessing:
    import timm

    card = timm.models.get_pretrained_cfg(name)
    if card is None or not (card.url or card.hf_hub_id or card.file or has_file):
        raise UserError(f"timm has no pretrained weights of {name}: name a file with --weights")
    full = f"{card.architecture}.{card.tag}" if card.tag else name
    return Preprocessing(full, card.input_size[-1], _rgb(card.mean), _rgb(card.std))


def _torchvision_card(name: str) -> Preprocessing:
    from torchvision import models

    try:
        card = models.get_model_weights(name)["IMAGENET1K_V1"].transforms()
    except (ValueError, KeyError):
        raise UserError(f"torchvision has no ImageNet weights of {name}: try timm:{name}") from None
    return Preprocessing(name, card.crop_size[0], _rgb(card.mean), _rgb(card.std))


def _rgb(values: Iterable[float]) -> tuple[float, float, float]:
    red, green, blue = values
    return (red, green, blue)


def _is_cam_head(name: str, network: nn.Module) -> bool:
    channels = getattr(network, "num_features", 0) or _linear_inputs(network)
    try:
        native_head(name, network, channels)
    except UserError:
        return False
    return True


def _linear_inputs(network: nn.Module) -> int:
    """Inputs of the one linear layer of the classifier; 0 where it has more or none."""
    layers = [
        layer
        for child in ("classifier", "fc", "head")
        if isinstance(module := getattr(network, child, None), nn.Module)
        for layer in module.modules()
        if isinstance(layer, nn.Linear)
    ]
    return layers[0].in_features if len(layers) == 1 else 0
