"""LeGrad: how sensitive each block's own class score is to where the block attends.

Bousselham et al., "LeGrad: An Explainability Method for Vision Transformers via Feature Formation
Sensitivity", ICCV 2025, arXiv 2404.03214; conventions as in WalBouss/LeGrad@8c2ca90, legrad/wrapper.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def legrad(scores: Sequence[Tensor], attentions: Sequence[Tensor], prefix: int) -> Tensor:
    """Relevance of the patches, (N, T - prefix): never negative.

    Args:
        scores: of each block, the score (N,) of each image's class by the tokens after that block.
        attentions: of each block, the weights (N, heads, T, T) that it used, part of the same graph.
        prefix: tokens before those of the patches.

    The gradient of a block's score with respect to its weights, what is negative left out, averaged over
    heads and queries, is how much attending to each key would add; prefix keys go, blocks are averaged.
    """
    relevance = []
    for score, weights in zip(scores, attentions, strict=True):
        # Images do not see each other in evaluation mode: the sum's gradient is each one's own. And the
        # way from a block's score back to its weights is shared with no other block.
        (gradient,) = torch.autograd.grad(score.sum(), weights)
        relevance.append(gradient.float().relu().mean(dim=(1, 2))[:, prefix:])
    return torch.stack(relevance).mean(dim=0)
