"""Attention modules at their places: after a stage, or as a gate inside each residual block."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import nn

from wsol.errors import UserError
from wsol.models.backbone import Backbone
from wsol.models.networks.block_plan import BlockPlan, Gate
from wsol.models.networks.residual_blocks import plan_of, residual_blocks, unknown_blocks
from wsol.models.placed import Placed


def blocks_at(backbone: Backbone, place: str) -> dict[str, nn.Module]:
    """The residual blocks of a stage by ``<stage>.<number>``, or the one block that ``place`` names.

    Blocks are counted from 0 within their stage. ``UserError`` where there are none.
    """
    stage, _, number = place.partition(".")
    stage = backbone.resolve(stage)
    paths = residual_blocks(backbone, [f"stages.{stage}"])
    blocks = {f"{stage}.{index}": backbone.get_submodule(path) for index, path in enumerate(paths)}
    if not blocks:
        raise UserError(f"{stage} of {backbone.name}: {unknown_blocks(backbone, [f'stages.{stage}'])}")
    if not number:
        return blocks
    if f"{stage}.{number}" not in blocks:
        raise UserError(f"{backbone.name} has no block {place!r}: there are {', '.join(blocks)}")
    return {f"{stage}.{number}": blocks[f"{stage}.{number}"]}


def with_blocks(backbone: Backbone, places: Iterable[str]) -> list[str]:
    """Those places whose stages hold residual blocks that are known here; ``UserError`` if none does."""
    paths = {place: f"stages.{backbone.resolve(place.partition('.')[0])}" for place in places}
    found = [place for place, path in paths.items() if any(residual_blocks(backbone, [path]))]
    if not found:
        raise UserError(f"{backbone.name}: {unknown_blocks(backbone, paths.values())}")
    return found


def insert_gates(
    backbone: Backbone, places: Iterable[str], gated: str, make: Callable[[int], nn.Module]
) -> dict[str, Placed]:
    """Put ``make(channels)`` inside each residual block of ``places``, once, at what ``gated`` names.

    See `wsol.attention.contract.GATED`. Returns the gates by their blocks' names.
    """
    blocks: dict[str, nn.Module] = {}
    for place in places:
        blocks |= blocks_at(backbone, place)
    gates = {}
    for name, block in blocks.items():
        plan = plan_of(block, refuse=False)
        assert plan is not None
        gate = _gate(block, plan, gated)
        gates[name] = Placed(make(gate.channels), name)
        inner = block.get_submodule(gate.beside)
        pair = (gates[name], inner) if gate.before else (inner, gates[name])
        block.set_submodule(gate.beside, nn.Sequential(*pair))
    return gates


def _gate(block: nn.Module, plan: BlockPlan, gated: str) -> Gate:
    """Where a gate of this kind goes in the block; ``UserError`` where it has no such place."""
    if gated in plan.gates or (not plan.units and gated == "expansion"):
        return plan.gates.get(gated) or plan.gates["branch"]
    if not plan.units:
        raise UserError(
            f"{type(block).__name__} has no {gated} that a gate could follow: choose one that gates the "
            "branch (--attention.name se)"
        )
    convolutions = {unit: _convolutions(block, unit.conv) for unit in plan.units}
    unit = plan.units[-1]
    if gated == "convolution":
        # The last one wider than 1x1, before its norm.
        wide = [one for one, parts in convolutions.items() if max(max(_sizes(parts))) > 1]
        unit = wide[-1] if wide else unit
        return Gate(unit.norm, convolutions[unit][-1].out_channels, before=True)
    if gated == "expansion" and plan.inverted and len(plan.units) > 1:
        unit = plan.units[-2]
    # What follows the norm (an activation in its own module) stays behind it.
    last = unit.after[-1] if gated == "expansion" and unit.after else unit.norm
    return Gate(last, convolutions[unit][-1].out_channels)


def _convolutions(block: nn.Module, name: str) -> list[nn.Conv2d]:
    return [part for part in block.get_submodule(name).modules() if isinstance(part, nn.Conv2d)]


def _sizes(convolutions: Iterable[nn.Conv2d]) -> list[tuple[int, ...]]:
    return [convolution.kernel_size for convolution in convolutions]
