"""FGSM and PGD: an image changed by at most epsilon a channel, so that the loss of its true class rises.

FGSM: Goodfellow, Shlens, Szegedy, "Explaining and Harnessing Adversarial Examples", ICLR 2015. One step
of size epsilon along the sign of the gradient. PGD: Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards
Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018. Several smaller steps from a random
start, after each of which the image is brought back to within epsilon.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from wsol.data.loading.loader import Batch, generator_of
from wsol.errors import UserError, suggest
from wsol.maps.contract import Columns

ATTACKS = ("fgsm", "pgd")


class Network(Protocol):
    """Images (N, 3, H, W), normalised, to an output that has ``logits`` (N, K)."""

    def __call__(self, images: Tensor) -> object:
        """One pass."""
        ...


@dataclass(frozen=True)
class Attack:
    """How strongly images are changed, and how.

    Attributes:
        name: ``fgsm`` or ``pgd``.
        epsilon: how much a channel of a pixel may change, in 1/255 of its range; 0 changes nothing.
        steps: of PGD.
        step_size: of PGD, in 1/255; None: 2.5 epsilon / steps, so that the steps together reach any
            point within epsilon and a little further [our choice].
        restarts: of PGD, of which each image keeps the one with the highest loss.
        random_start: whether PGD starts anywhere within epsilon (uniform), or at the image.
        seed: of the random starts; with restart and image it says where they are, on any machine.
    """

    name: str
    epsilon: float
    steps: int = 10
    step_size: float | None = None
    restarts: int = 1
    random_start: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.name not in ATTACKS:
            raise UserError(f"unknown attack {self.name!r}{suggest(self.name, ATTACKS)}")
        if not 0 <= self.epsilon <= 255:
            raise UserError(
                f"epsilon {self.epsilon:g} is not between 0 and 255 (in 1/255 of a pixel's range)"
            )
        if self.steps < 1 or self.restarts < 1:
            raise UserError("PGD takes 1 step or more, and 1 restart or more")
        if self.step_size is not None and not 0 < self.step_size <= 255:
            raise UserError(f"step size {self.step_size:g} is not above 0 and up to 255 (in 1/255)")

    @property
    def step(self) -> float:
        """The size of one step of PGD, in 1/255."""
        return 2.5 * self.epsilon / self.steps if self.step_size is None else self.step_size


class Attacker:
    """Changes images against a network.

    Args:
        network: in evaluation mode; its weights get no gradients.
        columns: the logits that stand for each label; the probabilities of several are added.
        mean, std: of the normalisation, which pixels are undone by: epsilon is divided by ``std``, and
            an image stays within 0 and 1 before it.
    """

    def __init__(
        self, network: Network, columns: Columns, mean: Sequence[float], std: Sequence[float]
    ) -> None:
        self.network, self.columns = network, columns
        # In the order of `Normalise`, so that black and white are the very floats that images have.
        self.mean, self.std = (torch.tensor(values).view(3, 1, 1) for values in (mean, std))

    def attacked(self, batches: Iterable[Batch], attack: Attack) -> Iterator[Batch]:
        """The batches with their images changed; ``UserError`` names an image without a label."""
        device = self._device()
        for batch in batches:
            labels = batch.labels.tolist()
            if min(labels) < 0:
                bare = batch.image_ids[labels.index(min(labels))]
                raise UserError(f"{bare}: has no label, and an attack is made against the true class")
            images = batch.images.to(device)
            yield batch._replace(images=self.change(images, labels, batch.indices.tolist(), attack))

    def change(
        self, images: Tensor, labels: Sequence[int], indices: Sequence[int], attack: Attack
    ) -> Tensor:
        """Images (N, 3, H, W), changed; ``indices`` of the images seed their random starts."""
        if attack.epsilon == 0:
            return images
        # Whoever reads maps may do it in inference mode, where there are no gradients.
        with torch.inference_mode(False), torch.enable_grad():
            images = images.clone()
            if attack.name == "fgsm":
                return self._stepped(images, images, labels, attack.epsilon, attack.epsilon)
            return self._pgd(images, labels, indices, attack)

    def _pgd(
        self, images: Tensor, labels: Sequence[int], indices: Sequence[int], attack: Attack
    ) -> Tensor:
        best, highest = images, torch.full((len(images),), -torch.inf, device=images.device)
        for restart in range(attack.restarts):
            changed = self._start(images, indices, restart, attack)
            for _ in range(attack.steps):
                changed = self._stepped(changed, images, labels, attack.step, attack.epsilon)
            if attack.restarts == 1:
                return changed
            with torch.no_grad():
                losses = self.losses(changed, labels)
            better = losses > highest
            best = torch.where(better[:, None, None, None], changed, best)
            highest = torch.where(better, losses, highest)
        return best

    def _start(self, images: Tensor, indices: Sequence[int], restart: int, attack: Attack) -> Tensor:
        if not attack.random_start:
            return images
        drawn = torch.stack(
            [
                torch.rand(images.shape[1:], generator=generator_of(attack.seed, restart, index))
                for index in indices
            ]
        ).to(images.device)
        return self._within(
            images + (2 * drawn - 1) * self._share(attack.epsilon, images), images, attack.epsilon
        )

    def _stepped(
        self, at: Tensor, images: Tensor, labels: Sequence[int], step: float, epsilon: float
    ) -> Tensor:
        """One step uphill from ``at``, within ``epsilon`` of the images."""
        at = at.detach().requires_grad_()
        # Of the sum: the gradient of each image is its own, whatever batch it is in.
        (gradient,) = torch.autograd.grad(self.losses(at, labels).sum(), at)
        return self._within(at.detach() + self._share(step, images) * gradient.sign(), images, epsilon)

    def losses(self, images: Tensor, labels: Sequence[int]) -> Tensor:
        """The cross-entropy (N,) of each image's true class."""
        shares = self.network(images).logits.log_softmax(dim=1)  # type: ignore[attr-defined]
        own = zip(shares, labels, strict=True)
        return -torch.stack([of[list(self.columns[label])].logsumexp(dim=0) for of, label in own])

    def _within(self, changed: Tensor, images: Tensor, epsilon: float) -> Tensor:
        """Within epsilon of the images and within black and white."""
        reach = self._share(epsilon, images)
        black, white = ((end - self.mean) / self.std for end in (0.0, 1.0))
        changed = torch.minimum(torch.maximum(changed, images - reach), images + reach)
        return torch.minimum(torch.maximum(changed, black.to(images)), white.to(images))

    def _share(self, epsilon: float, images: Tensor) -> Tensor:
        """So many 255ths of a pixel's range, (3, 1, 1), as the network sees them."""
        return (epsilon / 255 / self.std).to(images)

    def _device(self) -> torch.device:
        parameters = getattr(self.network, "parameters", None)
        found = None if parameters is None else next(parameters(), None)
        return torch.device("cpu") if found is None else found.device
