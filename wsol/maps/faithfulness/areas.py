"""Deletion and insertion areas of maps, by the network that made them.

Petsiuk, Das, Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models", BMVC 2018;
code: eclique/RISE, evaluation.py. There the class is the predicted one and a step is a number of pixels;
here the class is the true one, whose map localizes, and there are 20 steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from wsol.maps.clock import Clock
from wsol.maps.contract import Columns
from wsol.maps.faithfulness.baselines import blurred, mean_colour
from wsol.maps.faithfulness.ranking import ranks
from wsol.maps.same_weights import sharing_weights
from wsol.models.localizer import Localizer
from wsol.scores.protocol import Interpolation

# In so many steps all pixels are changed.
STEPS = 20

# The key of each area: what the image is before, and what its highest pixels become first.
KINDS = {
    "deletion": ("image", "mean"),
    "insertion": ("blur", "image"),
    "deletion_blur": ("image", "blur"),
    "insertion_mean": ("mean", "image"),
}


@dataclass(frozen=True)
class Faithfulness:
    """That areas are wanted, how maps are resized for them, and the ``clock`` of what they cost."""

    interpolation: Interpolation = "cubic"
    clock: Clock = field(default_factory=Clock)


@dataclass(frozen=True)
class Ends:
    """Between what the N images of a batch are changed, by name: ``image``, ``mean``, ``blur``.

    ``pictures`` are (N, 3, H, W); ``values`` (N,) the probabilities of the true class, which
    ``probability`` gives of any pictures.
    """

    pictures: dict[str, Tensor]
    values: dict[str, Tensor]
    probability: Callable[[Tensor], Tensor]


class AskedNetwork:
    """A network that is asked for areas of its maps, whatever a source of maps does to it meanwhile.

    Sources put hooks on a network, or lower its steps. What is asked is the network as it is without
    them: a copy that shares its weights.

    Args:
        network: as it should be asked.
        columns: the logits that stand for each label; the probabilities of several are added.
        wanted: how.
    """

    def __init__(self, network: Localizer, columns: Columns, wanted: Faithfulness) -> None:
        self.network, self.columns, self.wanted = sharing_weights(network), columns, wanted

    def areas(
        self,
        images: Tensor,
        labels: Sequence[int],
        image_ids: Sequence[str],
        maps: Sequence[np.ndarray | None],
    ) -> list[list[dict[str, float]]]:
        """By source and image the areas in [0, 1], by key; none where the map is None.

        Args:
            images: (N, 3, H, W), normalised, on the network's device; every pass is of N of them.
            labels: of each one's true class; -1 where it has none: it gets no areas.
            image_ids: seed what breaks ties (`ranks`).
            maps: of each source (N, h, w).
        """
        asked = sum(of_source is not None for of_source in maps)
        nothing: list[dict[str, float]] = [{} for _ in labels]
        if not asked:
            return [nothing] * len(maps)
        started = time.perf_counter()
        # Half the digits of a probability are no place to look for small differences.
        with torch.inference_mode(), torch.autocast(images.device.type, enabled=False):
            ends = self._ends(images, labels)
            found = [nothing if one is None else self._of_source(one, image_ids, ends) for one in maps]
        self.wanted.clock.count(asked * len(images), time.perf_counter() - started)
        return [
            [own if label >= 0 else {} for own, label in zip(of_source, labels, strict=True)]
            for of_source in found
        ]

    def _ends(self, images: Tensor, labels: Sequence[int]) -> Ends:
        columns = [self.columns[label] if label >= 0 else [] for label in labels]

        def probability(pictures: Tensor) -> Tensor:
            shares = self.network(pictures).logits.float().softmax(dim=1)
            pairs = zip(shares, columns, strict=True)
            return torch.stack([of_image[list(own)].sum() for of_image, own in pairs])

        pictures = {"image": images, "mean": mean_colour(images), "blur": blurred(images)}
        values = {name: probability(own) for name, own in pictures.items()}
        return Ends(pictures, values, probability)

    def _of_source(
        self, maps: np.ndarray, image_ids: Sequence[str], ends: Ends
    ) -> list[dict[str, float]]:
        images = ends.pictures["image"]
        size = (images.shape[2], images.shape[3])
        pairs = zip(maps, image_ids, strict=True)
        places = np.stack([ranks(*pair, size, self.wanted.interpolation) for pair in pairs])
        order = torch.from_numpy(places).to(images.device)[:, None]
        by_key: dict[str, np.ndarray] = {}
        for key, (before, after) in KINDS.items():
            first, last = ends.pictures[before], ends.pictures[after]
            between = [
                ends.probability(torch.where(order < changed(step, places[0].size), last, first))
                for step in range(1, STEPS)
            ]
            by_key[key] = area([ends.values[before], *between, ends.values[after]])
        return [{key: float(own[row]) for key, own in by_key.items()} for row in range(len(maps))]


def changed(step: int, pixels: int) -> int:
    """How many pixels have changed after ``step`` of `STEPS`, rounded down."""
    return pixels * step // STEPS


def area(curve: Sequence[Tensor]) -> np.ndarray:
    """The area (N,) in [0, 1] under a curve of `STEPS` + 1 values (N,), by trapezoids."""
    values = torch.stack(list(curve)).double().cpu().numpy()
    return np.trapezoid(values, dx=1 / STEPS, axis=0)
