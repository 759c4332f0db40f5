"""The head on the class token: what it reads, what it teaches, and where there is nothing to read."""

from __future__ import annotations

import pytest
import torch

from wsol.errors import UserError
from wsol.maps.tokens.attention_weights import weights_kept
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe

IMAGES = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def built(head, name="vit_tiny_patch16_224", **options):
    torch.manual_seed(0)
    parts = {
        "backbone": {"name": name, "options": options},
        "data": {"input_size": 64, "resize_size": 64},
        "head": {"name": head},
    }
    return build_localizer(Recipe.from_dict(parts), 3, ["a", "b", "c"]).eval()


def tiny(head, name="vit_tiny_patch16_224"):
    return built(head, name, depth=2, embed_dim=48, num_heads=3)


def test_logits_are_timms_own_for_the_same_classifier():
    import timm

    localizer = tiny("class_token")
    network = timm.create_model(
        "vit_tiny_patch16_224", img_size=64, num_classes=3, depth=2, embed_dim=48, num_heads=3
    ).eval()
    trunk = localizer.backbone.stages["stage4"].trunk.state_dict()
    head = {f"head.{name}": tensor for name, tensor in localizer.head.classifier.state_dict().items()}
    network.load_state_dict(trunk | head)
    with torch.no_grad():
        output = localizer(IMAGES)
        torch.testing.assert_close(output.logits, network(IMAGES), rtol=1e-4, atol=1e-5)
    assert output.class_maps is None
    assert output.features.shape == (2, 48, 4, 4)
    assert localizer.head.num_classes == 3


@pytest.mark.parametrize(("head", "taught"), [("class_token", True), ("cam", False)])
def test_where_the_class_token_looks_last_is_taught_by_this_head_alone(head, taught):
    localizer = tiny(head)
    torch.nn.init.normal_(localizer.head.classifier.weight)
    last = localizer.backbone.tokens.blocks[-1].attn
    with weights_kept([last]) as weights:
        (gradient,) = torch.autograd.grad(localizer(IMAGES).logits[:, 1].sum(), weights[0])
    of_class_token, of_patches = gradient[:, :, 0].abs().max(), gradient[:, :, 1:].abs().max()
    assert (of_class_token > 1e-6) == taught
    assert (of_patches > 1e-6) != taught


def test_all_of_it_learns():
    localizer = tiny("class_token").train()
    torch.nn.functional.cross_entropy(localizer(IMAGES).logits, torch.tensor([0, 2])).backward()
    groups = localizer.parameter_groups()
    assert [tuple(one.shape) for one in groups["head"]] == [(3, 48), (3,)]
    assert all(one.grad is not None for one in localizer.parameters())


@pytest.mark.parametrize("name", ["small_resnet", "vit_relpos_small_patch16_224"])
def test_a_backbone_without_class_token_is_refused(name):
    options = {} if name == "small_resnet" else {"depth": 2, "embed_dim": 48, "num_heads": 3}
    with pytest.raises(
        UserError, match=f"head.name class_token: backbone {name} has no class token; use"
    ):
        built("class_token", name, **options)
