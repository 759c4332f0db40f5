"""dasNet: a trained network that learns to look again, by evolution.

Stollenga, Masci, Gomez, Schmidhuber, "Deep Networks with Internal Selective Attention through Feedback
Connections", NIPS 2014, arXiv 1407.3068. No code is public; of the paper is what its abstract says:
after training, a policy adjusts the gain of each feature map over several passes, and is found by
separable natural evolution strategies. What is more definite is our reading: one layer, the last before
a linear classifier, whose whole policy would be too large for such a search where it has more than 128
channels; gains that average 1; a fitness in which images that are classified wrongly weigh most.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from wsol.errors import UserError, suggest
from wsol.methods.contract import ImageBatches, StepOutput, TrainingMethod
from wsol.methods.snes import SNES
from wsol.models.gained_localizer import GainedLocalizer, gains_of, linear_of, sizes_of
from wsol.models.heads import CamHead
from wsol.models.localizer import Localizer
from wsol.progress import say, track

SEARCHES = ("snes", "random")
LARGEST = 128  # channels whose policy is searched whole
AT_ONCE = 2**24  # numbers of gains


class DasNet(TrainingMethod):
    """dasNet-style (Stollenga et al., NIPS 2014, arXiv 1407.3068): training, then a policy of gains.

    The network is trained by cross-entropy. Then it stays as it is, and a policy is searched that sets
    one gain for each of its last features, from what the pass before saw
    (`wsol.models.gained_localizer`). Class maps are those of the last pass.

    Args:
        localizer: with a linear head (``head.name cam``).
        passes: looks at an image; 1 is the plain network, the control "gains 1".
        generations: of the search.
        search: ``"snes"``; or ``"random"``, as many policies drawn around none, of which the best stays:
            the control at equal cost.
        rank: of the policy's matrix; 0 is the whole one, for at most 128 channels.
        width: first standard deviation of the search (reading).
        right: weight of an image that is classified rightly; wrong ones weigh 1 (reading).
        seed: of the search.
        label_smoothing: of the cross-entropy.

    Raises:
        UserError: a head that is not linear, more than 128 channels without a rank, a number below 1.
    """

    from_features = True

    def __init__(
        self,
        localizer: Localizer,
        passes: int = 3,
        generations: int = 200,
        search: str = "snes",
        rank: int = 0,
        width: float = 0.1,
        right: float = 0.1,
        seed: int = 0,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(localizer, label_smoothing)
        _check(localizer.head, passes, generations, search, rank)
        channels, _ = sizes_of(localizer)
        if not rank and channels > LARGEST:
            raise UserError(
                f"method dasnet: a whole policy for {channels} channels is too large to search: set "
                "method.options.rank (8)"
            )
        self.generations, self.search, self.width = generations, search, width
        self.right, self.seed, self.rank = right, seed, rank
        self.gained = GainedLocalizer(localizer, rank or channels, passes)
        # How far the search has come; empty before it and after it.
        self._searched: dict[str, Any] = {}

    def step(self, images: Tensor, labels: Tensor, turn: str) -> StepOutput:
        """Images (N, 3, H, W), labels (N,) to the cross-entropy of the plain network."""
        logits = self.localizer(images).logits
        return StepOutput(self.classification(logits, labels), logits)

    @torch.no_grad()
    def after_training(self, loader: ImageBatches) -> None:
        """Search the policy on the training images; the best that was tried is kept, or none.

        A search that was interrupted goes on with the result that it would have had.
        """
        means, labels = [], []
        for images, own in loader:
            means.append(self.localizer(images).features.mean(dim=(2, 3)).float())
            labels.append(own)
        seen, wanted = torch.cat(means), torch.cat(labels)
        start = self._start()
        first = float(self.fitness(start[None].to(seen), seen, wanted)[0])
        best, highest, done = start, first, 0
        search = SNES(start, self.width, seed=self.seed)
        if self._searched:
            search.load_state(self._searched["search"])
            best, highest, done = (self._searched[key] for key in ("best", "highest", "done"))
        left = range(done, self.generations)
        for generation in track(left, len(left), "dasNet: generation"):
            points = search.ask()
            fitness = self.fitness(points.to(seen), seen, wanted).double().cpu()
            if self.search == "snes":
                search.tell(fitness)
            top = int(fitness.argmax())
            if float(fitness[top]) > highest:
                best, highest = points[top], float(fitness[top])
            self._searched = {
                "search": search.state(),
                "best": best,
                "highest": highest,
                "done": generation + 1,
            }
            self.keep_progress()
        self._searched = {}
        say(f"dasNet: fitness {first:.4f} without gains, {highest:.4f} with the best policy tried")
        out, into = self._policy(best[None].to(seen))
        self.gained.policy_out.copy_(out[0])
        self.gained.policy_in.copy_(into[0])

    def fitness(self, points: Tensor, means: Tensor, labels: Tensor) -> Tensor:
        """Minus the weighted cross-entropy of the last pass, (P,) for points (P, d).

        ``means`` (N, C) are those of the features, ``labels`` (N,). As many policies at once as memory
        allows.
        """
        head = self.localizer.head
        assert isinstance(head, CamHead)
        weight, bias = (part.float() for part in linear_of(head))
        out, into = self._policy(points)
        at_once = max(1, AT_ONCE // means.numel())
        found = []
        for policy in zip(out.split(at_once), into.split(at_once), strict=True):
            gains = gains_of(means, (weight, bias), policy, self.gained.passes)
            logits = ((gains * means) @ weight.T + bias).flatten(0, 1)
            wanted = labels.repeat(len(policy[0]))
            losses = functional.cross_entropy(logits, wanted, reduction="none")
            weights = torch.where(logits.argmax(dim=1) == wanted, self.right, 1.0)
            found.append(-(weights * losses).view(len(policy[0]), -1).mean(dim=1))
        return torch.cat(found)

    def get_extra_state(self) -> dict[str, Any]:
        """How far the search has come, beside the weights."""
        return self._searched

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._searched = state

    def trained(self) -> Localizer:
        """The localizer that looks several times."""
        return self.gained

    def _start(self) -> Tensor:
        """A policy that changes nothing, (d,): one of W's factors is zero, and the other is not."""
        into = torch.zeros(self.gained.policy_in.numel(), dtype=torch.float64)
        if not self.rank:
            return into
        generator = torch.Generator().manual_seed(self.seed)
        shape = self.gained.policy_out.numel()
        out = torch.randn(shape, generator=generator, dtype=torch.float64) / self.rank**0.5
        return torch.cat([out, into])

    def _policy(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Points (P, d) as factors (P, C, r) and (P, r, C + K)."""
        out, into = self.gained.policy_out, self.gained.policy_in
        if not self.rank:
            whole = torch.eye(len(out), device=points.device, dtype=points.dtype)
            return whole.expand(len(points), *out.shape), points.view(-1, *into.shape)
        first, second = points.split([out.numel(), into.numel()], dim=1)
        return first.reshape(-1, *out.shape), second.reshape(-1, *into.shape)


def _check(head: nn.Module, passes: int, generations: int, search: str, rank: int) -> None:
    plain = isinstance(head, CamHead) and isinstance(head.before, nn.Identity)
    if not (plain and isinstance(head.after, nn.Identity)):
        raise UserError("method dasnet needs a linear classifier: head.name cam, no attention as head")
    if search not in SEARCHES:
        raise UserError(f"method dasnet: unknown search {search!r}{suggest(search, SEARCHES)}")
    if min(passes, generations) < 1 or rank < 0:
        raise UserError(
            f"method dasnet: passes {passes} and generations {generations} are 1 or more, "
            f"rank {rank} is not negative"
        )
