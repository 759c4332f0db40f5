"""A module under check, and how one of each insertion point is built, fed and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from wsol.attention.contract import (
    FEEDBACK_OPTIONS,
    Attended,
    HeadOutput,
    check_options,
    insertion_of,
)
from wsol.attention.warps import Warped
from wsol.errors import UserError

Shape = tuple[int, int, int]

# Classes that a head under check tells apart.
HEAD_CLASSES = 5


class Result(NamedTuple):
    """One call: the output, a head's class maps, and the module's own maps by name."""

    output: Tensor
    class_maps: Tensor | None
    maps: Mapping[str, Tensor]


@dataclass(frozen=True)
class ModuleUnderCheck:
    """A class with its options and the features it meets.

    Attributes:
        name: as the user wrote it.
        module_class: the attention class.
        shapes: place to (C, h, w), shallow first. A stage or block module meets the last; a feedback
            module has the last as its top, with its bottom a quarter as wide; a head meets all.
        options: arguments of the class.
    """

    name: str
    module_class: type[nn.Module]
    shapes: Mapping[str, Shape]
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (isinstance(self.module_class, type) and issubclass(self.module_class, nn.Module)):
            raise UserError(
                f"{self.name} is {self.module_class!r}: expected a subclass of torch.nn.Module"
            )
        check_options(self.module_class, self.options)

    @property
    def insertion(self) -> str:
        """``stage``, ``block``, ``feedback`` or ``head``."""
        return insertion_of(self.module_class)

    @property
    def input_shapes(self) -> list[Shape]:
        """(C, h, w) of each input of ``forward``."""
        channels, height, width = list(self.shapes.values())[-1]
        if self.insertion == "head":
            return list(self.shapes.values())
        if self.insertion == "feedback":
            return [(max(1, channels // 4), height, width), (channels, height, width)]
        return [(channels, height, width)]

    def build(self, seed: int = 0) -> nn.Module:
        """A fresh module from a seeded start."""
        torch.manual_seed(seed)
        options = {key: value for key, value in self.options.items() if not self._of_wrapper(key)}
        channels: Any = [shape[0] for shape in self.input_shapes]
        if self.insertion == "head":
            channels = [dict(zip(self.shapes, channels, strict=True)), HEAD_CLASSES]
        return self.module_class(*channels, **options)

    def _of_wrapper(self, option: str) -> bool:
        return self.insertion == "feedback" and option in FEEDBACK_OPTIONS

    def inputs(self, batch: int = 2, seed: int = 1) -> list[Tensor]:
        """Seeded features like those after a ReLU: not negative, of mean about 0.4, with gradients."""
        generator = torch.Generator().manual_seed(seed)
        features = [
            torch.randn(batch, *shape, generator=generator).relu() for shape in self.input_shapes
        ]
        return [feature.requires_grad_() for feature in features]

    def expected(self, batch: int = 2) -> tuple[int, ...]:
        """The shape that the output must have: the features', or a head's logits'."""
        return (batch, HEAD_CLASSES) if self.insertion == "head" else (batch, *self.input_shapes[0])

    def run(self, module: nn.Module, inputs: Sequence[Tensor]) -> Result:
        """Call the module as the network would. ``TypeError`` where it returns something else."""
        if self.insertion == "head":
            output = module(dict(zip(self.shapes, inputs, strict=True)))
            if not isinstance(output, HeadOutput):
                raise TypeError(f"returns {type(output).__name__}: expected HeadOutput")
            return Result(output.logits, output.class_maps, output.attention)
        output = module(*inputs)
        maps: Mapping[str, Tensor] = {}
        if isinstance(output, Attended | Warped):
            output, own = output[:2]
            maps = own if isinstance(own, Mapping) else {"attention": own}
        if not isinstance(output, Tensor):
            raise TypeError(f"returns {type(output).__name__}: expected a Tensor or Attended")
        return Result(output, None, maps)


def shake(module: nn.Module, seed: int) -> None:
    """Move parameters a little, in place: zero starts hide what they multiply."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
