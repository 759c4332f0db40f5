"""torchvision's networks as they are read here: without side branches, their features a chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from wsol.errors import UserError

# They classify from the middle too, in training alone: heads that no row here has.
WITH_SIDE_BRANCHES = ("googlenet", "inception_v3")


def torchvision_network(name: str, options: Mapping[str, Any]) -> nn.Module:
    """The network with fresh weights.

    GoogLeNet and InceptionV3 come without their auxiliary classifiers, and take images normalised with
    ImageNet's mean and std, as torchvision's weights of them do (``transform_input: false`` leaves that
    out). ``UserError`` where ``options`` ask for the auxiliary classifiers.
    """
    from torchvision import models

    if name in WITH_SIDE_BRANCHES:
        if options.get("aux_logits"):
            raise UserError(
                f"backbone {name}: its auxiliary classifiers are not trained here; leave aux_logits out "
                "of backbone.options (a file's aux1, aux2 and AuxLogits are passed over)"
            )
        options = {"transform_input": True, "init_weights": False, **options, "aux_logits": False}
    network: Any = models.get_model(name, weights=None, **options)
    if type(network).__name__ == "DenseNet":
        # Its forward pass applies this ReLU after its features; twice is the same as once.
        network.features.append(nn.ReLU(inplace=True))
    return network
