"""CAM's loss by hand."""

import torch

from wsol.methods.cam import CAM
from wsol.models.factory import build_localizer
from wsol.recipe import BackboneSettings, Recipe


def test_the_loss_is_the_cross_entropy_of_the_class_maps_means():
    torch.manual_seed(0)
    localizer = build_localizer(Recipe(backbone=BackboneSettings("small_resnet")), 5)
    images, labels = torch.randn(3, 3, 32, 32), torch.tensor([4, 0, 2])
    smoothing = 0.2
    output = CAM(localizer, label_smoothing=smoothing)(images, labels)
    logits = localizer(images).class_maps.mean(dim=(2, 3)).double()
    log_probability = logits - logits.exp().sum(dim=1, keepdim=True).log()
    # Each class has smoothing / K of the weight, the true one 1 - smoothing more.
    true = log_probability[range(3), labels]
    by_hand = -((1 - smoothing) * true + smoothing * log_probability.mean(dim=1)).mean()
    torch.testing.assert_close(output.loss.double(), by_hand, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(output.logits.double(), logits, rtol=1e-5, atol=1e-6)
