"""Feedback put into the residual blocks of a network, at the places that are asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence

from torch import nn

from wsol.attention.contract import check_options, stage_of
from wsol.errors import UserError
from wsol.models.insertion.feedback_block import FeedbackBlock, feedback_blocks
from wsol.models.networks.residual_blocks import plan_of, residual_blocks, unknown_blocks


def with_feedback(
    block: nn.Module,
    attention: Callable[..., nn.Module],
    m: int | None = None,
    steps: int = 2,
    **options: object,
) -> FeedbackBlock:
    """The residual block with feedback; the block itself is taken over, its weights with it.

    Args:
        block: a block that `plan_of` knows.
        attention: class or factory, ``attention(bottom_channels, top_channels, **options)``.
        m: distance: how many of the block's convolutions the loop holds, counted from its end. None is
            the paper's for the block: 2 where it has two convolutions, else 1.
        steps: T >= 1; 2 is one pass of feedback.
        options: of ``attention``; what is left out has the block's own defaults, then the class's.

    Raises:
        UserError: a block of another kind, one with an inner SE or anti-aliasing, an impossible m or T.
    """
    plan = plan_of(block)
    if plan is None:
        raise UserError(unknown_blocks(block, [""]))
    m = plan.m if m is None else m
    kind, most = type(block).__name__, len(plan.units)
    if not 1 <= m <= most:
        raise UserError(f"m={m}: a {kind} has {most} convolutions, so m is 1 to {most}")
    if steps < 1:
        raise UserError(f"steps={steps}: choose 1 (the plain {kind}), 2 (one pass of feedback) or more")
    accepted = inspect.signature(attention).parameters
    defaults = {name: value for name, value in plan.options.items() if name in accepted}
    # A separable convolution is two: it takes what its first takes and gives what its last gives.
    bottom = _convolutions(block, plan.units[-m].conv)[0]
    top = _convolutions(block, plan.units[-1].conv)[-1]
    module = attention(bottom.in_channels, top.out_channels, **{**defaults, **options})
    weight = top.weight
    return FeedbackBlock(block, plan, module.to(weight.device, weight.dtype), m, steps)


def _convolutions(block: nn.Module, name: str) -> list[nn.Conv2d]:
    return [part for part in block.get_submodule(name).modules() if isinstance(part, nn.Conv2d)]


def insert_feedback(
    network: nn.Module,
    stages: Mapping[str, Sequence[str]],
    attention: type[nn.Module],
    at: Sequence[str],
    m: int | None = None,
    steps: int = 2,
    **options: object,
) -> dict[str, FeedbackBlock]:
    """Replace residual blocks of the network, in place, by blocks with feedback.

    Args:
        network: any module; load pretrained weights before.
        stages: stage name -> names of the submodules that make it, e.g. ``{"stage4": ["layer3"]}``.
        attention: the feedback module's class.
        at: whole stages (``"stage4"``) or single blocks, counted from 0 (``"stage4.2"``).
        m, steps, options: as in `with_feedback`; checked against the class's signature.

    Returns:
        The new blocks by place (``"stage4.0"``), in the order of ``stages``.
    """
    check_options(attention, options)
    if feedback_blocks(network):
        raise UserError("this network has feedback already: name all places in one `at`")
    blocks = {stage: list(residual_blocks(network, names)) for stage, names in stages.items()}
    chosen: dict[str, str] = {}
    for place in at:
        chosen.update(_chosen(network, stages, place, blocks))
    inserted: dict[str, FeedbackBlock] = {}
    for place in (f"{stage}.{i}" for stage, paths in blocks.items() for i in range(len(paths))):
        if place in chosen:
            try:
                block = network.get_submodule(chosen[place])
                inserted[place] = with_feedback(block, attention, m, steps, **options)
            except UserError as error:
                raise UserError(f"{place} ({chosen[place]}): {error}") from error
    # Only now, so that a refused block leaves the network as it was.
    for place, block in inserted.items():
        network.set_submodule(chosen[place], block)
    return inserted


def _chosen(
    network: nn.Module,
    stages: Mapping[str, Sequence[str]],
    place: str,
    blocks: Mapping[str, list[str]],
) -> dict[str, str]:
    """Place of every block that ``place`` means, to its path in the network."""
    stage, _, number = place.partition(".")
    stage = stage_of(stage, blocks)
    paths = blocks[stage]
    if not paths:
        raise UserError(f"{stage}: {unknown_blocks(network, stages[stage])}")
    if not number:
        return {f"{stage}.{index}": path for index, path in enumerate(paths)}
    if not number.isdecimal() or int(number) >= len(paths):
        raise UserError(f"{place}: {stage} has blocks {stage}.0 to {stage}.{len(paths) - 1}")
    return {f"{stage}.{int(number)}": paths[int(number)]}
