"""The turns of a batch: forward, backward and optimizer step of one set of parameters at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from wsol.errors import UserError
from wsol.methods.contract import OptimizerTurn, StepOutput, TrainingMethod
from wsol.recipe import TrainingSettings
from wsol.training.optimizer import build_optimizer


class Turn:
    """One turn of a method, ready to be taken.

    Attributes:
        name: as the method calls it.
        optimizer: over the turn's parameters; its state is saved for resuming.
    """

    def __init__(
        self, name: str, optimizer: torch.optim.Optimizer, method: TrainingMethod, fabric: Fabric
    ) -> None:
        self.name, self.optimizer, self.fabric = name, optimizer, fabric
        trained = {id(one) for group in optimizer.param_groups for one in group["params"]}
        self.others = [one for one in method.parameters() if id(one) not in trained]
        # Each turn has a wrapper of its own: under DDP it waits for the gradients of just those
        # parameters that require them now.
        with without_gradient(self.others):
            self.module, self.wrapped = fabric.setup(method, optimizer)

    def take(self, images: Tensor, labels: Tensor, boxes: Sequence[Tensor] | None = None) -> StepOutput:
        """Forward, backward and optimizer step on one batch; ``boxes`` where the method needs them."""
        with without_gradient(self.others):
            output = self._forward(images, labels, boxes)
            self.wrapped.zero_grad()
            self.fabric.backward(output.loss)
            self.wrapped.step()
        return output

    def _forward(self, images: Tensor, labels: Tensor, boxes: Sequence[Tensor] | None) -> StepOutput:
        said = {} if boxes is None else {"boxes": boxes}
        try:
            return self.module(images, labels, self.name, **said)
        except ValueError as error:
            if "Expected more than 1" not in str(error):
                raise
            raise UserError(
                f"batch normalisation cannot use a batch of {len(images)} where its maps are a single "
                "pixel: set training.batch_size to 2 or more, and train on 2 images or more"
            ) from error


def prepare_turns(method: TrainingMethod, training: TrainingSettings, fabric: Fabric) -> list[Turn]:
    """The turns that the method asks for, on Fabric's device.

    Raises:
        UserError: no turn, two of one name, one that trains nothing or what is not the method's.
    """
    asked = list(method.configure_optimizers(training))
    kind = type(method).__name__
    names = [turn.name for turn in asked]
    if not asked or len(set(names)) < len(names):
        raise UserError(
            f"method {kind}: configure_optimizers() returns the turns {names}: "
            "it must return one or more, each with a name of its own"
        )
    optimizers = [_optimizer(turn, method, training) for turn in asked]
    return [
        Turn(name, optimizer, method, fabric) for name, optimizer in zip(names, optimizers, strict=True)
    ]


def _optimizer(
    turn: OptimizerTurn, method: TrainingMethod, training: TrainingSettings
) -> torch.optim.Optimizer:
    own = {id(one) for one in method.parameters()}
    place = f"method {type(method).__name__}: turn {turn.name!r}"
    if isinstance(turn.trains, torch.optim.Optimizer):
        trained = [one for group in turn.trains.param_groups for one in group["params"]]
    else:
        trained = [one for parameters in turn.trains.values() for one in parameters]
    if not all(id(one) in own for one in trained):
        raise UserError(f"{place} trains parameters that are not the method's: assign them to self")
    if not any(one.requires_grad for one in trained):
        raise UserError(f"{place} trains nothing: it has no parameter that requires a gradient")
    if not isinstance(turn.trains, torch.optim.Optimizer):
        return build_optimizer(turn.trains, training)
    for group in turn.trains.param_groups:
        # `set_rates` multiplies this by the schedule's factor.
        group.setdefault("base_lr", group["lr"])
    return turn.trains


def optimizer_states(turns: Sequence[Turn]) -> dict[str, Any]:
    """The state of every turn's optimizer, by the turn's name."""
    return {turn.name: turn.optimizer.state_dict() for turn in turns}


def load_optimizer_states(turns: Sequence[Turn], progress: Mapping[str, Any]) -> None:
    """Give every turn's optimizer the state that ``progress`` holds of it.

    Raises:
        ValueError: ``progress`` holds the states of other turns, or of other parameters.
    """
    # Runs that were interrupted before methods had turns saved the state of their one optimizer.
    states = progress["optimizers"] if "optimizers" in progress else {"main": progress["optimizer"]}
    if list(states) != [turn.name for turn in turns]:
        raise ValueError(f"it holds the turns {', '.join(states)}")
    for turn in turns:
        turn.optimizer.load_state_dict(states[turn.name])


@contextmanager
def without_gradient(parameters: Sequence[nn.Parameter]) -> Iterator[None]:
    """Within the context none of ``parameters`` requires a gradient; afterwards those do that did."""
    required = [parameter for parameter in parameters if parameter.requires_grad]
    for parameter in required:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in required:
            parameter.requires_grad_(True)
