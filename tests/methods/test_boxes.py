"""Few-shot full supervision: what its class maps learn, by hand, and what it refuses."""

from __future__ import annotations

import math

import pytest
import torch

from wsol.errors import UserError
from wsol.methods.boxes import cells_covered
from wsol.methods.build import build_method
from wsol.models.factory import build_localizer
from wsol.recipe import (
    AttentionSettings,
    BackboneSettings,
    DataSettings,
    MethodSettings,
    Recipe,
    TrainingSettings,
)

SMALL = BackboneSettings("small_resnet", options={"widths": [4, 6], "blocks": 1})


def method_of(options=None, attention="none"):
    torch.manual_seed(0)
    recipe = Recipe(
        data=DataSettings(input_size=16, resize_size=16),
        backbone=SMALL,
        attention=AttentionSettings(attention),
        method=MethodSettings("boxes", options or {}),
        training=TrainingSettings(boxed_images=1),
    )
    return build_method(recipe, build_localizer(recipe, 3))


def test_cells_by_hand():
    """Cells of 4 pixels: the box covers 2 of 4 columns of the first cell, and 3 of 4 rows of both."""
    shares = cells_covered(torch.tensor([[2.0, 1.0, 8.0, 4.0]]), (8, 8), (2, 2))
    assert shares.tolist() == [[6 / 16, 12 / 16], [0, 0]]
    # Two boxes on one place count once; one without a pixel covers nothing.
    twice = torch.tensor([[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 2.0], [8.0, 8.0, 8.0, 8.0]])
    assert cells_covered(twice, (8, 8), (2, 2)).tolist() == [[1, 0], [0, 0]]


def test_the_loss_is_the_cross_entropies_of_cells_and_labels():
    method = method_of({"weight": 0.25}).eval()
    generator = torch.Generator().manual_seed(2)
    images = torch.randn(2, 3, 16, 16, generator=generator)
    labels = torch.tensor([2, 0])
    boxes = [torch.tensor([[0.0, 0.0, 8.0, 16.0]]), torch.tensor([[8.0, 8.0, 16.0, 16.0]])]
    output = method(images, labels, "main", boxes=boxes)
    seen = method.localizer(images)
    maps = seen.class_maps.tolist()
    side = len(maps[0][0])
    total, count = 0.0, 0
    for number, label in enumerate(labels.tolist()):
        for own, of_class in enumerate(maps[number]):
            for row in range(side):
                for column in range(side):
                    left, low = column < side / 2, row >= side / 2
                    inside = left if number == 0 else (not left and low)
                    wanted = 1.0 if own == label and inside else 0.0
                    chance = 1 / (1 + math.exp(-of_class[row][column]))
                    total -= wanted * math.log(chance) + (1 - wanted) * math.log(1 - chance)
                    count += 1
    logits = seen.logits.tolist()
    of_labels = sum(
        math.log(sum(math.exp(one) for one in row)) - row[label]
        for row, label in zip(logits, labels.tolist(), strict=True)
    )
    assert output.loss.item() == pytest.approx(total / count + 0.25 * of_labels / 2, rel=1e-5)


def test_it_wants_class_maps_and_boxes():
    images, labels = torch.zeros(2, 3, 16, 16), torch.tensor([0, 1])
    boxes = [torch.zeros(0, 4)] * 2
    with pytest.raises(UserError, match="weight -1"):
        method_of({"weight": -1})
    with pytest.raises(UserError, match=r"trains class maps, and this head has none"):
        method_of(attention="dvan")(images, labels, "main", boxes=boxes)
    unsaid = Recipe(backbone=SMALL, method=MethodSettings("boxes"))
    with pytest.raises(UserError, match=r"learns boxes: set training\.boxed_images"):
        build_method(unsaid, build_localizer(unsaid, 3))
    unused = Recipe(backbone=SMALL, training=TrainingSettings(boxed_images=2))
    with pytest.raises(UserError, match="shows boxes, and method cam looks at none"):
        build_method(unused, build_localizer(unused, 3))
