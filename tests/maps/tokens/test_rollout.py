"""Rollout against loops over paths, and by hand on two tokens."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from wsol.maps.tokens.rollout import rollout


def attentions(blocks, images=2, heads=3, tokens=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (images, heads, tokens, tokens)
    return [torch.randn(shape, generator=generator).mul(2).softmax(-1) for _ in range(blocks)]


def along_paths(weights, image):
    """The flow from token j in front to token i behind: over all paths, the product of its steps."""
    blocks = [one[image].double().numpy() for one in weights]
    tokens = blocks[0].shape[-1]
    flow = np.zeros((tokens, tokens))
    for path in itertools.product(range(tokens), repeat=len(blocks) + 1):
        share = 1.0
        for block, (source, target) in zip(blocks, itertools.pairwise(path), strict=True):
            attended = sum(head[target, source] for head in block) / len(block)
            share *= (attended + (source == target)) / 2
        flow[path[-1], path[0]] += share
    return flow


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_rollout_is_the_flow_along_all_paths(blocks):
    weights = attentions(blocks)
    found = rollout(weights)
    for image in range(2):
        np.testing.assert_allclose(found[image], along_paths(weights, image), atol=1e-6)


def test_two_tokens_by_hand():
    first = torch.tensor([[[[0.5, 0.5], [0, 1.0]]]])
    second = torch.tensor([[[[0.0, 1], [1, 0]]]])
    # Halved with the identity: [[3/4, 1/4], [0, 1]], then [[1/2, 1/2], [1/2, 1/2]] from the left.
    wanted = torch.tensor([[[3 / 8, 5 / 8], [3 / 8, 5 / 8]]])
    torch.testing.assert_close(rollout([first, second]), wanted)


def test_rows_sum_to_one_and_images_do_not_mix():
    weights = attentions(3, images=3)
    torch.testing.assert_close(rollout(weights).sum(-1), torch.ones(3, 4))
    torch.testing.assert_close(rollout([one[1:2] for one in weights]), rollout(weights)[1:2])


def test_no_blocks_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="no blocks"):
        rollout([])
