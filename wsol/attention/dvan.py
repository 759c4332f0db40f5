"""Diversified visual attention: glances at several windows, one after another, that shall not overlap.

Zhao, Wu, Feng, Peng, Yan, "Diversified Visual Attention Networks for Fine-Grained Object
Classification", IEEE Transactions on Multimedia 2017, arXiv 1606.08572. No code was found. Of the paper
is what its abstract says: attention canvases of several scales, an LSTM that attends to one after
another, and a loss that keeps its masks apart. What is more definite is our reading, and said so.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from wsol.attention.contract import GLOBAL, HeadOutput
from wsol.attention.decisions import decide
from wsol.attention.warps import inside, pulled_back, warped
from wsol.errors import UserError

# Where canvases lie, as half side and middle, in that order. Reading: in the paper they are windows of
# the image, enlarged and passed through the network each; here windows of its last features.
CANVASES = (
    (1.0, 0.0, 0.0),
    (0.625, -0.375, -0.375),
    (0.625, 0.375, -0.375),
    (0.625, -0.375, 0.375),
    (0.625, 0.375, 0.375),
)


class DVAN(nn.Module):
    """DVAN (Zhao et al., TMM 2017, arXiv 1606.08572): an LSTM's masks over canvases of several scales.

    At each canvas a mask over positions, ``softmax_i(u tanh(V x_i + W h))``, h what the LSTM remembers;
    ``sum_i mask_i x_i`` goes into the LSTM, whose state gives logits. The output is their mean over the
    canvases. ``overlap`` is how much of each mask of the last call lies on the one before it, in the
    image: what the method `dvan` punishes.

    Maps: ``score``, what the masks are before their softmax, each less its mean, laid back to where its
    canvas lies and averaged over the canvases that see a place; ``mask``, the same of the masks. There
    are no class maps.

    Args:
        stage_channels: the stage it follows, to channels.
        num_classes: K.
        canvases: glances, from 1 to 5: the whole, then windows of 5/8 of the side in the corners.
        hidden: of the LSTM.

    Raises:
        UserError: a number of canvases there is not, no hidden unit, several stages.
    """

    insertion = "head"
    at = "-1"
    # Softmaxed masks are spikes.
    default_map = "score"

    def __init__(
        self,
        stage_channels: Mapping[str, int],
        num_classes: int,
        canvases: int = 5,
        hidden: int = 128,
    ) -> None:
        if not 1 <= canvases <= len(CANVASES) or hidden < 1:
            raise UserError(
                f"DVAN: canvases {canvases} must be from 1 to {len(CANVASES)}, hidden {hidden} 1 or more"
            )
        tapped = [stage for stage in stage_channels if stage != GLOBAL]
        if len(tapped) != 1:
            raise UserError(f"DVAN follows one stage, not {', '.join(tapped)}: name one in attention.at")
        super().__init__()
        self.stage, channels = tapped[0], stage_channels[tapped[0]]
        self.windows = CANVASES[:canvases]
        # Reading: the LSTM starts from the mean of all features.
        self.first_state = nn.Linear(channels, hidden)
        self.first_memory = nn.Linear(channels, hidden)
        self.of_place = nn.Conv2d(channels, hidden, 1)
        self.of_state = nn.Linear(hidden, hidden, bias=False)
        self.score = nn.Conv2d(hidden, 1, 1, bias=False)
        self.remember = nn.LSTMCell(channels, hidden)
        self.classifier = nn.Linear(hidden, num_classes)
        self.overlap: Tensor | None = None

    def forward(self, stages: Mapping[str, Tensor]) -> HeadOutput:
        """Features {stage: (N, C, h, w)} -> logits (N, K), no class maps, two maps (N, h, w)."""
        x = stages[self.stage]
        mean = x.mean(dim=(2, 3))
        state = torch.tanh(self.first_state(mean)), torch.tanh(self.first_memory(mean))
        logits, scores, masks = [], [], []
        for window in self.windows:
            theta = theta_of(window, x)
            canvas = warped(x, theta)
            seen = torch.tanh(self.of_place(canvas) + self.of_state(state[0])[:, :, None, None])
            score = self.score(seen)[:, 0]
            mask = decide(self, score.flatten(1).softmax(dim=1).view_as(score), canvas)
            glance = (mask.unsqueeze(1) * canvas).sum(dim=(2, 3))
            state = self.remember(glance, state)
            logits.append(self.classifier(state[0]))
            scores.append((score - score.mean(dim=(1, 2), keepdim=True), theta))
            masks.append((mask, theta))
        in_image = [_laid_back(mask, theta) for mask, theta in masks]
        self.overlap = _overlap(in_image)
        maps = {"score": _merged(scores), "mask": _merged(masks)}
        return HeadOutput(torch.stack(logits).mean(dim=0), None, maps)

    def __getstate__(self) -> dict[str, object]:
        # Of the graph of the last call, which cannot be copied or sent to another process.
        return {**self.__dict__, "overlap": None}


def theta_of(window: tuple[float, float, float], x: Tensor) -> Tensor:
    """Half side and middle of a window as a warp (N, 2, 3)."""
    half, across, down = window
    theta = x.new_tensor([[half, 0.0, across], [0.0, half, down]], dtype=torch.float32)
    return theta.expand(len(x), 2, 3)


def _laid_back(mask: Tensor, theta: Tensor) -> Tensor:
    """A mask (N, h, w) over a canvas as one over the image, with the same sum."""
    seen = inside(theta, mask.shape[1:])
    whole = pulled_back(mask, theta) * seen
    return whole / whole.sum(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(whole.dtype).tiny)


def _overlap(masks: list[Tensor]) -> Tensor:
    """How much neighbours in time share: products summed over places and pairs, mean over images."""
    shared = [(one * other).sum(dim=(1, 2)).mean() for one, other in pairwise(masks)]
    return torch.stack(shared).sum() if shared else masks[0].new_zeros(())


def _merged(maps: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Maps over canvases as one over the image: at each place the mean of those that see it."""
    total, count = torch.zeros_like(maps[0][0]), torch.zeros_like(maps[0][0])
    for one, theta in maps:
        seen = inside(theta, one.shape[1:])
        total = total + pulled_back(one, theta) * seen
        count = count + seen
    return total / count.clamp_min(1)
