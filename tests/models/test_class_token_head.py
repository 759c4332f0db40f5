"""The head on the class token: what it reads, what it teaches, and where there is nothing to read."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wsol.data.loading.loader import Batch
from wsol.errors import UserError
from wsol.maps.reading import MapReader
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


def test_gradcam_reads_what_goes_into_the_last_block():
    """As of a ViT's own classifier: the last features are not what this head reads."""
    localizer = tiny("class_token")
    torch.nn.init.normal_(localizer.head.classifier.weight)
    kept = []
    block = localizer.backbone.tokens.blocks[-1]
    hook = block.register_forward_pre_hook(lambda _, given: kept.append(given[0]))
    logits = localizer(IMAGES).logits
    hook.remove()
    (gradient,) = torch.autograd.grad(logits[[0, 1], [2, 0]].sum(), kept[0])
    weights = gradient[:, 1:].mean(1, keepdim=True)
    wanted = (kept[0][:, 1:] * weights).sum(2).relu().detach().view(2, 4, 4)
    batch = Batch(IMAGES, torch.tensor([2, 0]), ["x", "y"], torch.arange(2), 2)
    reader = MapReader(localizer, ["a", "b", "c"])
    found = [one.score_map for one in reader.predictions([batch], "torchcam:GradCAM")]
    torch.testing.assert_close(torch.from_numpy(np.stack(found)), wanted, rtol=1e-4, atol=1e-6)
