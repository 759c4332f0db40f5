"""What attention modules decide, open to whoever trains them.

A module passes each of its gates or maps through `decide` before it weighs features with it. That
changes nothing, unless a training method observes: it may read the gate, differentiably, and put another
in its place, such as its mean, to see what the decision was worth.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from torch import Tensor, nn


class Observer(Protocol):
    """Sees every decision of a forward pass, in its order."""

    def seen(self, module: nn.Module, gate: Tensor, features: Tensor) -> Tensor:
        """The gate that is used, of the shape of ``gate``."""
        ...


_OBSERVER: ContextVar[Observer | None] = ContextVar("observer", default=None)


def decide(module: nn.Module, gate: Tensor, features: Tensor) -> Tensor:
    """The gate with which ``module`` weighs ``features`` (N, C, h, w): its own, unless one observes.

    ``gate`` is (N, C, 1, 1), (N, 1, h, w), (N, C, h, w) or what broadcasts to it; (N, h, w) is a map.
    """
    observer = _OBSERVER.get()
    return gate if observer is None else observer.seen(module, gate, features)


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Within the context ``observer`` sees all decisions of this thread."""
    token = _OBSERVER.set(observer)
    try:
        yield
    finally:
        _OBSERVER.reset(token)


def mean_of(gate: Tensor) -> Tensor:
    """A gate that prefers nothing: its mean over everything but the images, spread over its shape.

    Over channels for a channel gate, over positions for a map (1/n for a softmax over n of them), over
    both where it has both.
    """
    return gate.flatten(1).mean(dim=1).view(-1, *[1] * (gate.dim() - 1)).expand_as(gate)
