"""What a localizer costs: parameters, multiply-adds, and how fine its maps are."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from wsol.models.localizer import Localizer


def cost(localizer: Localizer, input_size: int) -> dict[str, Any]:
    """``{"params", "gflops", "map_size"}`` for one square image of ``input_size`` pixels.

    ``params`` counts every parameter and what was fitted after training. ``gflops`` are the
    multiply-adds of convolutions and matrix products in 10^9, as the field counts them (half of torch's
    count, which takes a multiply-add as two; normalisations, activations and poolings are left out), of
    what makes the logits: class maps that a head only shows at test (LTPA's) are not counted.
    ``map_size`` is the class maps' (height, width), or the last features'. Nothing is computed: shapes
    only.
    """
    shapes_only = copy.deepcopy(localizer).to("meta").eval().requires_grad_(False)
    # Two images: batch norms of vectors, in a head in training, refuse a single one.
    images = torch.empty(2, 3, input_size, input_size, device="meta")
    counter = FlopCounterMode(display=False)
    with torch.no_grad():
        output = shapes_only(images)
        shapes_only.head.train()
        with counter:
            shapes_only(images)
    shown = output.features if output.class_maps is None else output.class_maps
    return {
        "params": sum(own.numel() for own in [*localizer.parameters(), *localizer.fitted]),
        "gflops": counter.get_total_flops() / len(images) / 2e9,
        "map_size": [int(side) for side in shown.shape[-2:]],
    }
