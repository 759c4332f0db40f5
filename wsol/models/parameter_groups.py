"""Which parameters of a localizer train as what, and which are not trained by design."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from wsol.attention.contract import declared_without_gradient
from wsol.models.tapped_head import TappedHead

if TYPE_CHECKING:
    from wsol.models.localizer import Localizer


def grouped(localizer: Localizer, head_from: str) -> dict[str, list[nn.Parameter]]:
    """See `wsol.models.localizer.Localizer.parameter_groups`."""
    backbone = localizer.backbone
    attention = [parameter for part in localizer.attention_parts for parameter in part.parameters()]
    stages = list(backbone.stages)
    late = stages[stages.index(backbone.resolve(head_from)) :] if head_from else []
    inside = {id(parameter) for parameter in attention}
    head = [
        parameter
        for part in (*(backbone.stages[stage] for stage in late), localizer.head)
        for parameter in part.parameters()
        if id(parameter) not in inside
    ]
    taken = {id(parameter) for parameter in attention + head}
    rest = [parameter for parameter in localizer.parameters() if id(parameter) not in taken]
    return {"backbone": rest, "attention": list(dict.fromkeys(attention)), "head": head}


def without_gradient(localizer: Localizer) -> set[str]:
    """See `wsol.models.localizer.Localizer.parameters_without_gradient`."""
    idle: set[str] = set()
    head = localizer.head
    if isinstance(head, TappedHead) and getattr(head.module, "ignores_global", False):
        stages = list(localizer.backbone.stages)
        for stage in stages[stages.index(head.taps[-1]) + 1 :]:
            prefix = f"backbone.stages.{stage}"
            idle |= {name for name, _ in localizer.get_submodule(prefix).named_parameters(prefix)}
    return idle | {
        f"{child}.{name}"
        for child, module in localizer.named_children()
        for name in declared_without_gradient(module)
    }
