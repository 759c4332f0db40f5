"""The classifier that a pretrained network comes with, where it is no CAM head (VGG's linear layers)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from wsol.attention.contract import HeadOutput
from wsol.errors import UserError
from wsol.models.networks.by_name import CLASSIFIER, feature_chain
from wsol.models.networks.tokens.layouts import FIRST, from_maps, layout_of
from wsol.models.networks.tokens.stage import joined

# Images to the last features (N, C, h, w) and the prefix tokens (N, P, C) beside them, or None.
Features = Callable[[Tensor], tuple[Tensor, Tensor | None]]


class OwnClassifier(nn.Module):
    """Features (N, C, h, w) -> logits (N, K) by the network's own layers; no class maps.

    Post-hoc methods and the feature mean read such a network.

    Args:
        network: of timm or torchvision.
        name: for messages.
        features: how its features are read, before any attention is put in.
        side: of the images on which it is tried, in pixels.

    Attributes:
        reads_prefix: a `Localizer` gives the head its prefix tokens too.
        reads_maps: whether the logits depend on the features; where not, on the prefix tokens alone.

    Raises:
        UserError: the layers after the features do not give the network's own logits.
    """

    reads_prefix = True

    def __init__(self, network: nn.Module, name: str, features: Features, side: int) -> None:
        super().__init__()
        links = {link.partition(".")[0] for link in feature_chain(network)}
        self.layers = nn.ModuleDict(
            {
                child: module
                for child, module in network.named_children()
                if child not in links or child in CLASSIFIER
            }
        )
        # timm's networks know how to go on from their features; kept outside the modules, since its
        # features are the backbone's and must not be counted twice.
        forward_head: Any = getattr(network, "forward_head", None)
        self._forward_head = [forward_head] if forward_head is not None else []
        self._layout, self._prefix_alone, self.reads_maps = FIRST, False, True
        self.num_classes = self._check(network, name, features, side)

    @property
    def reads_class_token(self) -> bool:
        """Whether it decides by the class token, as ViT's own classifier does."""
        return not self.reads_maps

    def forward(self, features: Tensor, prefix: Tensor | None = None) -> HeadOutput:
        """Logits (N, K), no class maps, no attention; ``prefix`` tokens are (N, P, C) or None."""
        if self._forward_head:
            given = prefix if self._prefix_alone else joined(prefix, from_maps(features, self._layout))
            return HeadOutput(self._forward_head[0](given), None, {})
        for layer in self.layers.values():
            if features.ndim > 2 and any(isinstance(part, nn.Linear) for part in layer.modules()):
                features = features.flatten(1)
            features = layer(features)
        return HeadOutput(features, None, {})

    @torch.no_grad()
    def _check(self, network: Any, name: str, read: Features, side: int) -> int:
        """K; ``UserError`` where features and these layers are not what the network does."""
        images = torch.linspace(-1, 1, 3 * side * side).reshape(1, 3, side, side)
        training = network.training
        network.eval()
        self.eval()
        try:
            features, prefix = read(images)
            if self._forward_head:
                own = network.forward_features(images)
                self._prefix_alone = prefix is not None and own.shape == prefix.shape
                self._layout = layout_of(own.shape)
            logits, expected = self(features, prefix).logits, network(images)
            agrees = logits.shape == expected.shape and torch.allclose(logits, expected, atol=1e-5)
            if prefix is not None:
                self.reads_maps = not torch.equal(self(features * 0, prefix).logits, logits)
        except (RuntimeError, TypeError, AttributeError, UserError):
            agrees = False
        finally:
            network.train(training)
            self.train(training)
        if not agrees:
            raise UserError(
                f"head.name classifier: {name} is not features followed by a classifier; "
                "use head.name cam and train it"
            )
        return int(logits.shape[1])
