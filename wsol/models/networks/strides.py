"""Other strides than the published ones, for larger maps."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from wsol.errors import UserError, suggest
from wsol.models.networks.by_name import octave, probe
from wsol.models.networks.stage_names import sides_of
from wsol.models.networks.tokens.chain import MixedStage
from wsol.recipe import BackboneSettings


def refuse_strides(settings: BackboneSettings) -> None:
    """``UserError`` where the recipe asks for strides, of a network whose strides are fixed."""
    if settings.strides:
        raise UserError(f"backbone.strides: those of {settings.name} are fixed")


def set_strides(settings: BackboneSettings, stages: Mapping[str, nn.Sequential], side: int) -> None:
    """Give the stages, in place, the strides that are asked for; ``UserError`` where that cannot be.

    ``side`` is that of an image, in pixels, that the network takes.
    """
    if any(isinstance(stage, MixedStage) for stage in stages.values()):
        refuse_strides(settings)
    before = side
    sizes = {stage: shape[2] for stage, shape in probe(stages, side).items()}
    asked = dict(settings.strides)
    for stage, size in sizes.items():
        own = 2 ** (octave(size, side) - octave(before, side))
        before = size
        stride = asked.pop(stage, own)
        if stride not in (1, own):
            raise UserError(
                f"backbone.strides: {stage} of {settings.name} has stride {own} or 1, not {stride}"
            )
        if stride != own:
            _remove_stride(stages[stage], f"{stage} of {settings.name}")
    if asked:
        unknown = next(iter(asked))
        raise UserError(
            f"backbone.strides: {settings.name} has no {unknown!r}{suggest(unknown, stages)}"
        )


def _remove_stride(parent: nn.Module, place: str) -> None:
    """Stride 1 in place: convolutions slide by one, poolings go. Nothing is dilated."""
    for name, child in parent.named_children():
        if isinstance(child, nn.Conv2d):
            if max(child.stride) > 1 and child.kernel_size[0] % 2 == 0:
                raise UserError(f"backbone.strides: {place} cuts patches and cannot have another stride")
            child.stride = (1, 1)
        elif not list(child.children()) and max(sides_of(getattr(child, "stride", 1))) > 1:
            setattr(parent, name, nn.Identity())
        else:
            _remove_stride(child, place)
