"""The classifier that a pretrained network comes with, where it is no CAM head (VGG's linear layers)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from wsol.attention.contract import HeadOutput
from wsol.errors import UserError
from wsol.models.networks.by_name import feature_chain


class OwnClassifier(nn.Module):
    """Features (N, C, h, w) -> logits (N, K) by the network's own layers; no class maps.

    Post-hoc methods and the feature mean read such a network.

    Args:
        network: of timm or torchvision. Its features are read elsewhere, by `feature_chain`.
        name: for messages.

    Raises:
        UserError: the layers after the features do not give the network's own logits.
    """

    def __init__(self, network: nn.Module, name: str) -> None:
        super().__init__()
        links = {link.partition(".")[0] for link in feature_chain(network)}
        self.layers = nn.ModuleDict(
            {child: module for child, module in network.named_children() if child not in links}
        )
        # timm's networks know how to go on from their features; kept outside the modules, since its
        # features are the backbone's and must not be counted twice.
        forward_head: Any = getattr(network, "forward_head", None)
        self._forward_head = [forward_head] if forward_head is not None else []
        self.num_classes = self._check(network, name)

    def forward(self, features: Tensor) -> HeadOutput:
        """Logits (N, K), no class maps, no attention."""
        if self._forward_head:
            return HeadOutput(self._forward_head[0](features), None, {})
        for layer in self.layers.values():
            if features.ndim > 2 and any(isinstance(part, nn.Linear) for part in layer.modules()):
                features = features.flatten(1)
            features = layer(features)
        return HeadOutput(features, None, {})

    @torch.no_grad()
    def _check(self, network: nn.Module, name: str) -> int:
        """K; ``UserError`` where features and these layers are not what the network does."""
        side = 224
        images = torch.linspace(-1, 1, 3 * side * side).reshape(1, 3, side, side)
        training = network.training
        network.eval()
        self.eval()
        try:
            features = images
            for module in feature_chain(network).values():
                features = module(features)
            logits, expected = self(features).logits, network(images)
            agrees = logits.shape == expected.shape and torch.allclose(logits, expected, atol=1e-5)
        except (RuntimeError, TypeError, AttributeError):
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
