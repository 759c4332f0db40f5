"""A residual block with feedback: the loop over steps that a `feedback` attention module needs.

TDAM (Jaiswal, Fernando, Tan, ECCV 2022, arXiv 2111.13470): the last m convolutions of a block run T
times; after every step but the last the block's own output (top) attends to the loop's input (bottom).
Convolutions are shared over the steps, normalisations are one per step.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

from torch import Tensor, nn

from wsol.attention.contract import Attended, Maps, channel_mean
from wsol.errors import UserError
from wsol.models.networks.block_plan import BlockPlan, Unit


class FeedbackBlock(nn.Module):
    """A residual block whose last m convolutions run ``steps`` times under attention.

    The block's own weights keep their names under ``block.``; they are those of step 0.

    Attributes:
        steps: T. It may be lowered, for testing with fewer steps; T = 1 is the plain block.
        last_attention: the maps of the last call, (N, h, w) each, named ``t1`` or ``t1.<name>``: what
            step t's output made, in the frame of the loop's input. Empty at T = 1.
    """

    def __init__(
        self, block: nn.Module, plan: BlockPlan, attention: nn.Module, m: int, steps: int
    ) -> None:
        super().__init__()
        self.block = block
        self.attention = attention
        self.plan = plan
        self.m = m
        # The later steps start as copies of step 0's norms, its statistics and any zero initialisation
        # included. Released code: they start fresh, and its zero initialisation reaches only step 0's.
        self.step_norms = nn.ModuleList(
            nn.ModuleList(copy.deepcopy(block.get_submodule(unit.norm)) for unit in plan.units[-m:])
            for _ in range(1, steps)
        )
        self._steps = steps
        self.last_attention: dict[str, Tensor] = {}

    @property
    def steps(self) -> int:
        """T, the number of steps of a call."""
        return self._steps

    @steps.setter
    def steps(self, steps: int) -> None:
        most = len(self.step_norms) + 1
        if not 1 <= steps <= most:
            raise UserError(
                f"steps={steps}: this network was built for {most}, and each step has norms of its own; "
                f"choose 1 to {most}, or train with more steps"
            )
        self._steps = steps

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, C, H, W) -> the block's output."""
        bottom = x if self.plan.lead is None else self.plan.lead(self.block, x)
        for unit in self.plan.units[: -self.m]:
            bottom = self._run(unit, self._part(unit.norm), bottom)
        maps: dict[str, Tensor] = {}
        top = self._loop(bottom, step=0)
        for step in range(1, self.steps):
            bottom, attention = self._attend(bottom, top)
            maps |= _named(attention, f"t{step}")
            top = self._loop(bottom, step)
        self.last_attention = maps
        return self._leave(x, top)

    def _loop(self, bottom: Tensor, step: int) -> Tensor:
        """The last m convolutions with the norms of this step; nothing follows the last norm."""
        units = self.plan.units[-self.m :]
        own = [self._part(unit.norm) for unit in units]
        norms = own if step == 0 else cast(nn.ModuleList, self.step_norms[step - 1])
        for unit, norm in zip(units, norms, strict=True):
            bottom = self._run(unit, norm, bottom)
        return bottom

    def _attend(self, bottom: Tensor, top: Tensor) -> tuple[Tensor, Maps]:
        """The bottom after attention and the module's own maps, of which there may be none."""
        result = self.attention(bottom, top)
        features, attention = result if isinstance(result, Attended) else (result, {})
        if not isinstance(features, Tensor) or features.shape != bottom.shape:
            found = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
            raise UserError(
                f"{type(self.attention).__name__} must return the bottom's shape: expected "
                f"{tuple(bottom.shape)} (N, C, h, w), found {found}"
            )
        return features, attention

    def _leave(self, x: Tensor, top: Tensor) -> Tensor:
        """The way out of the block: what follows the last norm, the shortcut, the activation."""
        top = self._through(self.plan.before_sum, top)
        if self.plan.has_shortcut:
            top = top + self._through(self.plan.shortcut, x)
        return self._through(self.plan.after_sum, top)

    def _run(self, unit: Unit, norm: nn.Module, x: Tensor) -> Tensor:
        return self._through(unit.after, norm(self._part(unit.conv)(x)))

    def _through(self, names: tuple[str, ...], x: Tensor) -> Tensor:
        for name in names:
            x = self._part(name)(x)
        return x

    def _part(self, name: str) -> nn.Module:
        return self.block.get_submodule(name)

    def parameters_without_gradient(self) -> set[str]:
        """Names of what the present steps leave unused, and of what the module itself declares."""
        idle = {name for name, _ in self.step_norms.named_parameters("step_norms")}
        idle = {name for name in idle if int(name.split(".")[1]) >= self.steps - 1}
        if self.steps == 1:
            return idle | {name for name, _ in self.attention.named_parameters("attention")}
        declared = getattr(self.attention, "parameters_without_gradient", set)()
        return idle | {f"attention.{name}" for name in declared}

    def __getstate__(self) -> dict[str, object]:
        # Maps belong to the graph of the last call, which cannot be copied or sent to another process.
        return {**self.__dict__, "last_attention": {}}


def feedback_blocks(network: nn.Module) -> dict[str, FeedbackBlock]:
    """All blocks with feedback by their module names, in the network's order."""
    return {name: part for name, part in network.named_modules() if isinstance(part, FeedbackBlock)}


@contextmanager
def lowered_steps(network: nn.Module, steps: int) -> Iterator[None]:
    """Within the context every block takes ``steps`` steps: what the network sees at t = ``steps``.

    Raises:
        UserError: no block has feedback, or one was built for fewer steps.
    """
    blocks = list(feedback_blocks(network).values())
    if not blocks:
        raise UserError(f"t={steps}: this network has no feedback, hence no steps to choose from")
    before = [block.steps for block in blocks]
    try:
        for block in blocks:
            block.steps = steps
        yield
    finally:
        for block, number in zip(blocks, before, strict=True):
            block.steps = number


def steps_of(network: nn.Module) -> int:
    """How many steps the feedback of ``network`` takes; ``UserError`` where it has none."""
    blocks = list(feedback_blocks(network).values())
    if not blocks:
        raise UserError("t=*: this network has no feedback, hence no steps to choose from")
    return min(block.steps for block in blocks)


def _named(attention: Tensor | Mapping[str, Tensor], step: str) -> dict[str, Tensor]:
    if isinstance(attention, Tensor):
        return {step: channel_mean(attention)}
    return {f"{step}.{name}": channel_mean(one) for name, one in attention.items()}
