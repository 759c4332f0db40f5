"""Side branches of GoogLeNet and torchvision's InceptionV3 are for training alone, and are left out."""

from __future__ import annotations

import pytest
import torch
from torchvision import models

from wsol.models.factory import build_localizer
from wsol.recipe import Recipe


@pytest.mark.parametrize(("name", "side"), [("googlenet", 96), ("torchvision:inception_v3", 96)])
def test_weights_with_side_branches_give_the_librarys_own_features(tmp_path, name, side):
    torch.manual_seed(3)
    make = getattr(models, name.partition(":")[2] or name)
    network = make(weights=None, aux_logits=True, init_weights=False, transform_input=True).eval()
    assert any("aux" in key.lower() for key in network.state_dict())
    torch.save(network.state_dict(), tmp_path / "whole.pth")
    recipe = {
        "backbone": {"name": name},
        "weights": {"name": "mine", "file": str(tmp_path / "whole.pth")},
        "data": {"input_size": side},
    }
    localizer = build_localizer(Recipe.from_dict(recipe), 7).eval()
    assert not any("aux" in key.lower() for key in localizer.state_dict())
    kept = []
    network.avgpool.register_forward_pre_hook(lambda module, inputs: kept.append(inputs[0]))
    images = torch.randn(2, 3, side, side)
    with torch.no_grad():
        network(images)
        found = localizer.backbone(images)
    torch.testing.assert_close(found, kept[0], rtol=1e-4, atol=1e-5)
