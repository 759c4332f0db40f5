"""LTPA's linear classifier over the descriptors of its taps, and its logits split into positions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class Linearity(NamedTuple):
    """Logits as a linear map: ``logits = constant + sum over taps of weights[tap] @ descriptor[tap]``.

    ``weights``: a tap each, (K, d); ``constant`` (N, K).
    """

    weights: Sequence[Tensor]
    constant: Tensor


class ConcatClassifier(nn.Module):
    """One linear layer over all descriptors side by side.

    Args:
        widths: of the descriptors, tap by tap.
        num_classes: K.
    """

    def __init__(self, widths: Sequence[int], num_classes: int) -> None:
        super().__init__()
        self.widths = list(widths)
        self.linear = nn.Linear(sum(widths), num_classes)

    def forward(self, descriptors: Sequence[Tensor]) -> tuple[Tensor, Linearity]:
        """Descriptors, a tap each, (N, d) -> logits (N, K) and how they are linear in them."""
        logits = self.linear(torch.cat(list(descriptors), dim=1))
        weights = self.linear.weight.split(self.widths, dim=1)
        return logits, Linearity(weights, self.linear.bias.expand_as(logits))


class IndependentClassifier(nn.Module):
    """One linear layer a tap; the logits are the sum of their log-softmax outputs."""

    def __init__(self, widths: Sequence[int], num_classes: int) -> None:
        super().__init__()
        self.linears = nn.ModuleList(nn.Linear(width, num_classes) for width in widths)

    def forward(self, descriptors: Sequence[Tensor]) -> tuple[Tensor, Linearity]:
        """As `ConcatClassifier`; the softmax's normalisers are the same for all classes of an image."""
        votes = torch.stack([linear(one) for linear, one in zip(self.linears, descriptors, strict=True)])
        # Paper: the mean of the taps' probabilities; author code: their log-softmax outputs summed,
        # which under the loss's own softmax is their logits summed.
        logits = functional.log_softmax(votes, dim=2).sum(dim=0)
        weights = [linear.get_parameter("weight") for linear in self.linears]
        biases = torch.stack([linear.get_parameter("bias") for linear in self.linears]).sum(dim=0)
        normaliser = votes.logsumexp(dim=2).sum(dim=0).unsqueeze(1)
        return logits, Linearity(weights, biases - normaliser)


def split_logits(parts: Sequence[Tensor], linearity: Linearity) -> Tensor:
    """What every position adds to the logits, as class maps whose spatial mean is the logits.

    Args:
        parts: a tap each, (N, d, h, w), adding up over positions to the tap's descriptor.
        linearity: of the classifier; its constant, which no position made, is spread evenly.

    Returns:
        (N, K, H, W) at the largest tap's size.
    """
    height = max(part.shape[2] for part in parts)
    width = max(part.shape[3] for part in parts)
    votes = [
        spread(functional.conv2d(part, weight[:, :, None, None]), height, width)
        for part, weight in zip(parts, linearity.weights, strict=True)
    ]
    return torch.stack(votes).sum(dim=0) * (height * width) + linearity.constant[:, :, None, None]


def spread(votes: Tensor, height: int, width: int) -> Tensor:
    """Nearest-neighbour upsampling that keeps every sum: a value is shared by the pixels it covers.

    Args:
        votes: (N, K, h, w), h <= ``height``, w <= ``width``; the ratios need not be whole.
    """
    rows, row_shares = _nearest(votes.shape[2], height)
    columns, column_shares = _nearest(votes.shape[3], width)
    shares = torch.outer(votes.new_tensor(row_shares), votes.new_tensor(column_shares))
    return votes[:, :, rows][:, :, :, columns] * shares


def _nearest(size: int, larger: int) -> tuple[list[int], list[float]]:
    """Of ``larger`` pixels in a row: which of ``size`` each copies, and what share of it each takes."""
    sources = [pixel * size // larger for pixel in range(larger)]
    copies = Counter(sources)
    return sources, [1 / copies[source] for source in sources]
