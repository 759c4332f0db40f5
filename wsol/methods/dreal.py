"""DREAL: attention trained by a critic that learns what each module's decision was worth.

Li, Chen, "Deep Reinforced Attention Learning for Quality-Aware Visual Recognition", ECCV 2020, arXiv
2007.06156. No code is public. Of the paper is what its abstract says: any network with any attention
modules; a critic judges the quality of each attention map; actors (the modules) and recurrent critics
are trained in turns; the reward is the relative gain in recognition that arises from each module.
Everything more definite is our reading and is said so where it stands: so this is "DREAL-style". The
second reward is that of SCAL (ICCV 2019), which is discrete, as the abstract of DREAL calls its own.
Instance recognition, which the paper shows too, is not checked here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from wsol.attention.decisions import observed
from wsol.errors import UserError, suggest
from wsol.methods.actors import Actors, Watching, evaluating
from wsol.methods.contract import OptimizerTurn, StepOutput, TrainingMethod
from wsol.models.localizer import Localizer
from wsol.recipe import TrainingSettings

REWARDS = ("relative_gain", "scal")
ACTOR, CRITIC = "actor", "critic"
LIMIT = 1.0  # reading: a module that halves p(y) is as bad as one that ruins it
WRONG = -1.0  # reading: "a negative constant" where the prediction is wrong


class Critic(nn.Module):
    """A recurrent critic: an LSTM over the actors, shallow first, and a value after each (reading).

    Args:
        sizes: of what is seen of each actor.
        hidden: width of the LSTM.
    """

    def __init__(self, sizes: Sequence[int], hidden: int) -> None:
        super().__init__()
        self.seeing = nn.ModuleList(nn.Linear(size, hidden) for size in sizes)
        self.recalling = nn.LSTMCell(hidden, hidden)
        self.judging = nn.Linear(hidden, 1)

    def forward(self, states: Sequence[Tensor]) -> Tensor:
        """What is seen of each actor, (N, its size), to its value: (N, L)."""
        memory, values = None, []
        for seeing, state in zip(self.seeing, states, strict=True):
            memory = self.recalling(torch.relu(seeing(state)), memory)
            values.append(self.judging(memory[0]))
        return torch.cat(values, dim=1)


class Lesson(NamedTuple):
    """What the critic learns from in its turn: the states that it saw, and the rewards (N, L)."""

    states: list[Tensor]
    rewards: Tensor


class DREAL(TrainingMethod):
    """DREAL-style training (Li, Chen, ECCV 2020, arXiv 2007.06156): cross-entropy, and a critic's word.

    Two turns a batch. The actor's: cross-entropy trains the whole network, and minus the critic's mean
    value trains the attention modules, and them alone. The critic's: its values learn the rewards, by
    the mean squared error; the network has no part in it. After training the critic is gone.

    What a module's decision was worth is seen by a pass in which its gates are their means (of a channel
    gate over channels, of a map over positions, at every step): 1 + L passes for L modules, on a GPU as
    one batch. They are in evaluation mode: statistics of norms stay as they are and nothing is dropped,
    so that they differ in the gates alone (reading).

    Args:
        localizer: with an attention that passes its gates through `wsol.attention.decisions.decide`.
        reward: ``"relative_gain"``, 1 - p(y | the module's mean) / p(y), within [-1, 1], and -1 where
            the prediction is wrong; or ``"scal"``, [the prediction is right] + [p(y) > p(y | mean)].
        weight: of the critic's word beside the cross-entropy (reading).
        hidden: width of the critic (reading).
        shuffled: rewards are dealt to the images of the batch by lot. The control: as much work, and
            nothing to learn.
        label_smoothing: of the cross-entropy.

    Raises:
        UserError: no attention, one that decides nothing; an unknown reward.
    """

    def __init__(
        self,
        localizer: Localizer,
        reward: str = "relative_gain",
        weight: float = 0.1,
        hidden: int = 64,
        shuffled: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(localizer, label_smoothing)
        if reward not in REWARDS:
            raise UserError(f"method dreal: unknown reward {reward!r}{suggest(reward, REWARDS)}")
        if weight < 0 or hidden < 1:
            raise UserError(
                f"method dreal: weight {weight}, hidden {hidden}: at least 0, and at least 1"
            )
        self.reward, self.weight, self.shuffled = reward, weight, shuffled
        self.actors = Actors.of(localizer)
        self.critic = Critic(self.actors.sizes, hidden)
        self._lesson: Lesson | None = None

    def configure_optimizers(self, training: TrainingSettings) -> Sequence[OptimizerTurn]:
        """The actor's turn over the network, then the critic's over itself."""
        return [
            OptimizerTurn(ACTOR, self.parameter_groups(training.head_from)),
            OptimizerTurn(CRITIC, {CRITIC: list(self.critic.parameters())}),
        ]

    def step(self, images: Tensor, labels: Tensor, turn: str) -> StepOutput:
        """Images (N, 3, H, W) and labels (N,) to the loss of one turn."""
        return self._act(images, labels) if turn == ACTOR else self._learn()

    def _act(self, images: Tensor, labels: Tensor) -> StepOutput:
        # Before this batch has changed any weight.
        chances = self.chances(images, labels)
        watching = Watching()
        with observed(watching):
            logits = self.localizer(images).logits
        states = watching.states(self.actors.modules)
        values = self.critic(states)
        rewards = rewards_of(chances, self.reward)
        if self.shuffled:
            rewards = rewards[torch.randperm(len(labels), device=rewards.device)]
        self._lesson = Lesson([state.detach() for state in states], rewards)
        loss = self.classification(logits, labels) + self._word(-self.weight * values.mean())
        log: dict[str, Tensor] = {}
        columns = {"gain": chances.gains, "reward": rewards, "value": values.detach()}
        for title, of_actors in columns.items():
            for name, mean in zip(self.actors.names, of_actors.mean(dim=0), strict=True):
                log[f"{title}_{name}"] = mean
        return StepOutput(loss, logits, log)

    def _learn(self) -> StepOutput:
        assert self._lesson is not None, "the actor's turn comes first"
        states, rewards = self._lesson
        return StepOutput(functional.mse_loss(self.critic(states), rewards))

    @torch.no_grad()
    def chances(self, images: Tensor, labels: Tensor) -> Chances:
        """p(y) of every image by the network as it is, and with each actor's gates at their mean."""
        copies = range(len(self.actors.modules) + 1)
        together = together_on(images.device, len(copies))
        outputs = []
        for first in copies[::together]:
            some = copies[first : first + together]
            silent = self.actors.silent_in_turn(some, len(images), images.device)
            with evaluating(self.localizer), observed(silent):
                outputs.append(self.localizer(torch.cat([images] * len(some))).logits.float())
        logits = torch.cat(outputs)
        chance = logits.softmax(dim=1).gather(1, labels.repeat(len(copies))[:, None])
        right = logits[: len(images)].argmax(dim=1) == labels
        return Chances(chance.view(len(copies), len(images)), right)

    def _word(self, objective: Tensor) -> Tensor:
        """Zero, with the gradient of ``objective`` in the actors' parameters and in no others."""
        own = self.actors.parameters()
        found = torch.autograd.grad(objective, own, retain_graph=True, allow_unused=True)
        pairs = zip(own, found, strict=True)
        parts = [(one * gradient.detach()).sum() for one, gradient in pairs if gradient is not None]
        if not parts:
            return objective.detach() * 0
        whole = torch.stack(parts).sum()
        return whole - whole.detach()


def together_on(device: torch.device, copies: int) -> int:
    """How many of the copies of a batch go through the network at once.

    All on a GPU. A CPU takes one after the other: it is faster with what stays in its caches.
    """
    return 1 if device.type == "cpu" else copies


class Chances(NamedTuple):
    """``p`` (1 + L, N): p(y) with all attention, then with each actor silent; ``right`` (N,) bool."""

    p: Tensor
    right: Tensor

    @property
    def gains(self) -> Tensor:
        """By how much of itself p(y) falls without each actor: (N, L) in [-1, 1]."""
        whole, without = self.p[0], self.p[1:]
        least = torch.finfo(whole.dtype).tiny
        return (1 - without / whole.clamp_min(least)).clamp(-LIMIT, LIMIT).T


def rewards_of(chances: Chances, reward: str) -> Tensor:
    """Rewards (N, L) of the actors."""
    right = chances.right[:, None]
    if reward == "scal":
        return right.float() + (chances.p[0] > chances.p[1:]).T.float()
    return torch.where(right, chances.gains, WRONG)
