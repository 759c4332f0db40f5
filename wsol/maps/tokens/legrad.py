"""LeGrad: how sensitive each block's own class score is to where the block attends.

Bousselham et al., "LeGrad: An Explainability Method for Vision Transformers via Feature Formation
Sensitivity", ICCV 2025, arXiv 2404.03214; conventions as in WalBouss/LeGrad@8c2ca90, legrad/wrapper.py.

The score is the block's own, not the network's: the mean of all its tokens, the class token among them,
through the network's last norm and its classifier, whichever tokens the head reads otherwise. All blocks
count, as in the paper; its code takes the last two of CLIP's unless told. Maps are not normalised here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from wsol.attention.warps import pulled_back
from wsol.errors import UserError
from wsol.maps.contract import Columns, ModelMaps
from wsol.maps.tokens.attention_weights import outputs_kept, weights_kept
from wsol.maps.tokens.token_needs import check_plain, on_grid, tokens_of
from wsol.models.localizer import Localizer, LocalizerOutput
from wsol.models.tapped_head import TappedHead


class LeGrad(ModelMaps):
    """LeGrad: gradients of each block's class score by its attention; legrad:2 is of the last 2 blocks.

    Needs self-attention of every token to every token in those blocks, and a head that classifies one
    vector: ``cam``, ``cam_relu``, ``native``, ``class_token`` or a ViT's own ``classifier``. Attention
    modules after the last stage are no part of a block's score.
    """

    title = "LeGrad"
    of_class = "true"
    own_pass = True
    gradients = True
    takes_argument = True

    @contextmanager
    def ready(self, localizer: Localizer) -> Iterator[None]:
        """Tokens and weights of the blocks are kept; ``UserError`` where they have none of the kind."""
        count = len(tokens_of(self.name, localizer).blocks)
        numbers = range(count - self._last(count, localizer.backbone.name), count)
        tokens = check_plain(self.name, localizer, numbers)
        self._check_head(localizer.head)
        self._localizer, self._prefix = localizer, tokens.prefix
        trunk = getattr(localizer.backbone.stages[localizer.backbone.last_maps], "trunk", None)
        self._norm: nn.Module = getattr(trunk, "norm", None) or nn.Identity()
        blocks = [tokens.blocks[number] for number in numbers]
        layers = [block.attn for block in blocks]
        with outputs_kept(blocks) as self._tokens, weights_kept(layers) as self._weights:
            yield

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Maps (N, h, w), never negative; of several logits that stand for a class, of their mean."""
        scores = []
        for tokens in self._tokens:
            logits = self._classified(self._norm(tokens.mean(dim=1)))
            each = [of_image[list(own)].mean() for of_image, own in zip(logits, columns, strict=True)]
            scores.append(torch.stack(each))
        maps = legrad(scores, self._weights, self._prefix)
        return pulled_back(on_grid(maps, output.features), output.window)

    def _last(self, count: int, backbone: str) -> int:
        """How many blocks, from the last one, are read."""
        if not self.argument:
            return count
        if not self.argument.isdecimal() or not 1 <= int(self.argument) <= count:
            raise UserError(
                f"map source {self.name!r}: {backbone} has {count} blocks; legrad:2 is of the last two"
            )
        return int(self.argument)

    def _check_head(self, head: nn.Module) -> None:
        wide = any(isinstance(part, nn.Conv2d) and max(part.kernel_size) > 1 for part in head.modules())
        if wide or isinstance(head, TappedHead):
            raise UserError(
                f"--maps {self.name} scores one vector by the head; this one looks at neighbours or at "
                "several stages: take head.name cam or class_token, no attention as head"
            )

    def _classified(self, vectors: Tensor) -> Tensor:
        """Logits (N, K) of vectors (N, C): the head sees one everywhere, whichever tokens it reads."""
        everywhere = vectors[:, None].expand(-1, self._prefix, -1)
        return self._localizer.head_output(vectors[:, :, None, None], everywhere).logits


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
