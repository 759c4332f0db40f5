"""Separable natural evolution strategies: a search that needs values of a function, and no gradients.

Schaul, Glasmachers, Schmidhuber, "High Dimensions and Heavy Tails for Natural Evolution Strategies",
GECCO 2011; constants as in evotorch and evosax, which agree.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


class SNES:
    """A Gaussian with one width an axis, moved towards what is better; `ask`, then `tell`.

    Attributes:
        mean, width: of the Gaussian, (d,) each.

    Args:
        start: the first mean (d,).
        width: the first width of every axis.
        population: points a generation; None is ``4 + floor(3 ln d)``.
        seed: of the points.
    """

    def __init__(
        self, start: Tensor, width: float, population: int | None = None, seed: int = 0
    ) -> None:
        size = start.numel()
        self.mean = start.detach().clone().double()
        self.width = torch.full_like(self.mean, width)
        self.population = population or 4 + math.floor(3 * math.log(size))
        self.rate = (3 + math.log(size)) / (5 * math.sqrt(size))
        self.weights = rank_weights(self.population)
        self._generator = torch.Generator().manual_seed(seed)
        self._drawn = torch.zeros(0)

    def state(self) -> dict[str, Tensor]:
        """What the search goes on from after a generation."""
        return {"mean": self.mean, "width": self.width, "generator": self._generator.get_state()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from another search's `state`: it asks what that one would have asked next."""
        self.mean, self.width = state["mean"], state["width"]
        self._generator.set_state(state["generator"])

    def ask(self) -> Tensor:
        """The points of a generation, (n, d)."""
        shape = self.population, self.mean.numel()
        self._drawn = torch.randn(shape, generator=self._generator, dtype=torch.float64)
        return self.mean + self.width * self._drawn

    def tell(self, fitness: Tensor) -> None:
        """Move by the fitness (n,) of the points that were asked for last; more is better."""
        order = fitness.double().argsort(descending=True, stable=True)
        utility = torch.empty_like(self.weights)
        utility[order] = self.weights
        self.mean = self.mean + self.width * (utility @ self._drawn)
        self.width = self.width * torch.exp(self.rate / 2 * (utility @ (self._drawn.square() - 1)))


def rank_weights(population: int) -> Tensor:
    """What the point of each rank counts, the best first, (n,) float64; they sum to 0."""
    ranks = torch.arange(1, population + 1, dtype=torch.float64)
    raw = (math.log(population / 2 + 1) - ranks.log()).clamp_min(0)
    return raw / raw.sum() - 1 / population
