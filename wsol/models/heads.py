"""CAM heads: class maps whose average over positions is the logit, so maps cost nothing."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from wsol.attention.contract import HeadOutput
from wsol.errors import UserError, suggest
from wsol.models.networks.by_name import PROBE
from wsol.models.networks.catalogue import HEADS
from wsol.models.networks.tokens.layouts import TOKENS, layout_of, prefix_of, to_maps
from wsol.models.networks.tokens.sides import own_side
from wsol.recipe import HeadSettings


class CamHead(nn.Module):
    """Features (N, C, h, w) -> class maps (N, K, h, w) by a 1x1 convolution -> logits, their average.

    The same numbers as global average pooling and a linear layer (Zhou et al., CVPR 2016). The maps
    hold the class's bias, which the paper leaves out: a constant a class, gone with min-max
    normalisation, and with it the maps average exactly to the logits.

    Args:
        channels: C. num_classes: K.
        before: what the features pass first, C channels in, ``width`` out.
        width: channels after ``before``; 0 means C.
        relu: a ReLU on the class maps, as SqueezeNet has it; logits are then never negative.
    """

    def __init__(
        self,
        channels: int,
        num_classes: int,
        before: nn.Module | None = None,
        width: int = 0,
        *,
        relu: bool = False,
    ) -> None:
        super().__init__()
        self.before = before if before is not None else nn.Identity()
        self.classifier = nn.Conv2d(width or channels, num_classes, 1)
        self.after = nn.ReLU() if relu else nn.Identity()
        nn.init.normal_(self.classifier.weight, std=0.01)
        if self.classifier.bias is not None:
            nn.init.zeros_(self.classifier.bias)

    @property
    def num_classes(self) -> int:
        """K, the length of the logits."""
        return self.classifier.out_channels

    def forward(self, features: Tensor) -> HeadOutput:
        """Logits (N, K), class maps (N, K, h, w), no attention."""
        class_maps = self.after(self.classifier(self.before(features)))
        return HeadOutput(class_maps.mean(dim=(2, 3)), class_maps, {})


def build_head(settings: HeadSettings, channels: int, num_classes: int) -> CamHead:
    """A fresh head by its recipe; ``UserError`` for an unknown name (`native_head` makes ``native``)."""
    width = settings.width
    if settings.name != "cam_conv2" and settings.dropout != HeadSettings.dropout:
        raise UserError(f"head.dropout is that of head.name cam_conv2; {settings.name} has none")
    if settings.name in ("cam", "cam_relu"):
        return CamHead(channels, num_classes, relu=settings.name == "cam_relu")
    if settings.name == "cam_conv":
        return CamHead(channels, num_classes, nn.Sequential(*_conv_relu(channels, width)), width)
    if settings.name == "cam_conv2":
        before = nn.Sequential(*convolutions(channels, width, 2, settings.dropout))
        return CamHead(channels, num_classes, before, width)
    raise UserError(f"unknown head.name {settings.name!r}{suggest(settings.name, HEADS)}")


def convolutions(channels: int, width: int, count: int, dropout: float | None = None) -> list[nn.Module]:
    """``count`` 3x3 convolutions to ``width`` channels, each with a ReLU.

    With ``dropout`` a layer of it before each and after the last; one of 0 does nothing, but counts.
    """
    layers: list[nn.Module] = []
    for number in range(count):
        layers += [] if dropout is None else [nn.Dropout(dropout)]
        layers += _conv_relu(width if number else channels, width)
    return layers if dropout is None else [*layers, nn.Dropout(dropout)]


def _conv_relu(channels: int, width: int) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, width, 3, padding=1)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return [convolution, nn.ReLU()]


def native_head(name: str, network: nn.Module, channels: int) -> CamHead:
    """The network's own classifier as a CAM head, its weights shared.

    Either a 1x1 convolution with ReLU before the pooling (SqueezeNet), or a linear layer right after
    global average pooling. ``UserError`` where the classifier is neither, or reads something else than
    the average (a ViT's class token).
    """
    layers = [
        layer
        for child in ("classifier", "fc", "head")
        if isinstance(module := getattr(network, child, None), nn.Module)
        for layer in module.modules()
        if not isinstance(layer, nn.Dropout | nn.Identity) and not list(layer.children())
    ]
    match layers:
        case [nn.Conv2d(kernel_size=(1, 1)) as convolution, nn.ReLU(), nn.AdaptiveAvgPool2d()]:
            head = CamHead(1, 1, relu=True)
            head.classifier = convolution
        case [nn.Linear(in_features=width) as linear] if width == channels and linear.bias is not None:
            head = CamHead(channels, linear.out_features)
            head.classifier.weight = nn.Parameter(linear.weight.detach()[:, :, None, None])
            head.classifier.bias = nn.Parameter(linear.bias.detach())
        case _:
            raise _no_cam_head(name)
    if hasattr(network, "forward_features") and not _gives_its_logits(head, network):
        raise _no_cam_head(name)
    return head


def _no_cam_head(name: str) -> UserError:
    return UserError(f"head.name native: the classifier of {name} is not a CAM head; use head.name cam")


@torch.no_grad()
def _gives_its_logits(head: CamHead, network: Any) -> bool:
    """Whether the head makes the network's own logits of its features, whatever their layout."""
    side = own_side(network) or PROBE
    weight = head.classifier.weight
    if weight.is_meta:
        return True
    images = torch.linspace(-1, 1, 3 * side * side).reshape(1, 3, side, side).to(weight)
    training = network.training
    network.eval()
    try:
        features = network.forward_features(images)
        layout = layout_of(features.shape)
        if layout == TOKENS:
            features = features[:, prefix_of(features.shape[1]) :]
        maps = to_maps(features, layout)
        # A single class token (PiT gives no more) is no map.
        return maps.shape[-1] > 1 and torch.allclose(head(maps).logits, network(images), atol=1e-4)
    except (UserError, AttributeError):
        return False
    finally:
        network.train(training)
