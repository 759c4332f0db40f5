"""A second copy of a network that costs no memory: what is done to the first does not reach it."""

from __future__ import annotations

import copy
from itertools import chain
from typing import TypeVar

from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def sharing_weights(network: Network) -> Network:
    """A copy of ``network`` as it is now, in evaluation mode, whose weights and buffers are the same.

    Hooks, lowered steps and modes that a source of maps sets on ``network`` afterwards are not on it.
    """
    shared = chain(network.parameters(), network.buffers())
    return copy.deepcopy(network, {id(tensor): tensor for tensor in shared}).eval()
