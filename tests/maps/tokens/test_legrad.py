"""LeGrad against torchcam's on torchvision's ViT with the same weights, and by finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from wsol.maps.tokens.attention_weights import weights_kept
from wsol.maps.tokens.legrad import legrad


def torchvision_vit(seed=0):
    from torchvision.models import VisionTransformer as TorchvisionViT

    torch.manual_seed(seed)
    network = TorchvisionViT(
        image_size=64,
        patch_size=16,
        num_layers=2,
        num_heads=3,
        hidden_dim=48,
        mlp_dim=96,
        num_classes=5,
    ).eval()
    with torch.no_grad():  # its classifier starts at zero, its attention nearly even
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return network


def as_timm(network):
    """The same network, built by timm."""
    names = {
        "conv_proj.": "patch_embed.proj.",
        "class_token": "cls_token",
        "encoder.pos_embedding": "pos_embed",
        "encoder.layers.encoder_layer_": "blocks.",
        "encoder.ln.": "norm.",
        "heads.head.": "head.",
        ".ln_1.": ".norm1.",
        ".ln_2.": ".norm2.",
        ".self_attention.in_proj_": ".attn.qkv.",
        ".self_attention.out_proj.": ".attn.proj.",
        ".mlp.0.": ".mlp.fc1.",
        ".mlp.3.": ".mlp.fc2.",
    }
    state = {}
    for name, tensor in network.state_dict().items():
        for theirs, ours in names.items():
            name = name.replace(theirs, ours)
        state[name] = tensor
    found = VisionTransformer(
        img_size=64, patch_size=16, depth=2, num_heads=3, embed_dim=48, mlp_ratio=2, num_classes=5
    ).eval()
    found.load_state_dict(state)
    return found


def of_timm(network, images, classes, blocks=None):
    """LeGrad (N, 4, 4) of some blocks of timm's network, each scored by the mean of all its tokens."""
    tokens = []
    blocks = network.blocks if blocks is None else [network.blocks[block] for block in blocks]
    hooks = [one.register_forward_hook(lambda *given: tokens.append(given[2])) for one in blocks]
    try:
        with weights_kept([one.attn for one in blocks]) as weights:
            network(images)
            scores = [
                network.head(network.norm(one.mean(1))).gather(1, torch.tensor(classes)[:, None])[:, 0]
                for one in tokens
            ]
            return legrad(scores, weights, 1).unflatten(1, (4, 4))
    finally:
        for hook in hooks:
            hook.remove()


@pytest.fixture
def images():
    return torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("blocks", [[0, 1], [1]])
def test_as_torchcams_on_the_same_network(images, blocks):
    from torchcam.methods import LeGrad

    theirs = torchvision_vit()
    ours = as_timm(theirs)
    torch.testing.assert_close(ours(images), theirs(images))
    layers = list(theirs.encoder.layers)
    with LeGrad(theirs, [layers[block] for block in blocks]) as extractor:
        scores = theirs(images)
        wanted = extractor([0, 3, 2], scores, normalized=False)[0]
    found = of_timm(ours, images, [0, 3, 2], blocks)
    assert wanted.max() > 1e-4
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-7)


class Tiny(nn.Module):
    """One block of one head on three tokens of two numbers, its class score a weighted square."""

    def score(self, weights, values):
        return ((weights @ values) ** 2 * torch.tensor([[1.0, -2], [0.5, 1], [-1, 1]])).sum()


def test_the_gradient_by_finite_differences():
    generator = torch.Generator().manual_seed(3)
    values = torch.randn(2, 3, 2, generator=generator, dtype=torch.double)
    weights = torch.rand(2, 2, 3, 3, generator=generator, dtype=torch.double).softmax(-1)
    weights.requires_grad_()
    tiny = Tiny()
    score = torch.stack(
        [sum(tiny.score(head, values[image]) for head in weights[image]) for image in range(2)]
    )
    found = legrad([score], [weights], 1)
    step = 1e-6
    wanted = np.zeros((2, 3))
    for image, head, query, key in np.ndindex(2, 2, 3, 3):
        sides = []
        for sign in (-1, 1):
            moved = weights.detach()[image].clone()
            moved[head, query, key] += sign * step
            sides.append(sum(float(tiny.score(one, values[image])) for one in moved))
        wanted[image, key] += max(0, (sides[1] - sides[0]) / (2 * step)) / 6
    np.testing.assert_allclose(found, wanted[:, 1:], rtol=1e-5)


def test_images_do_not_mix_and_blocks_are_averaged(images):
    network = as_timm(torchvision_vit())
    both = of_timm(network, images, [0, 3, 2])
    alone = of_timm(network, images[1:2], [3])
    torch.testing.assert_close(both[1:2], alone, rtol=1e-4, atol=1e-8)
    single = [of_timm(network, images, [0, 3, 2], [block]) for block in (0, 1)]
    torch.testing.assert_close(both, (single[0] + single[1]) / 2)


def test_a_frozen_network_is_read_all_the_same(images):
    network = as_timm(torchvision_vit())
    wanted = of_timm(network, images, [0, 3, 2])
    network.requires_grad_(False)
    torch.testing.assert_close(of_timm(network, images, [0, 3, 2]), wanted)
