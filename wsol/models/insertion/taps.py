"""Features that are looked at where they are: after a stage, or after a block inside one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor

from wsol.errors import UserError
from wsol.models.backbone import Backbone
from wsol.models.insertion.inside_stages import place_inside
from wsol.models.networks.tokens.whole_network import WholeNetwork


class Tap:
    """A place whose features (N, C, h, w) a method reads beside those of the stages.

    Args:
        backbone: whose place it is.
        place: ``stage4``, ``-1``, or ``stage4.0``: a block or convolution inside, counted from 0.

    Attributes:
        stage: the stage that it is, or lies in.
        channels: C.

    Raises:
        UserError: no such place, or one inside a network of tokens.
    """

    def __init__(self, backbone: Backbone, place: str) -> None:
        stage, inside, _ = str(place).partition(".")
        self.stage = backbone.resolve(stage)
        self._module, self._seen = None, None
        if not inside:
            self.channels = backbone.stage_channels[self.stage]
            return
        if isinstance(backbone.stages[self.stage], WholeNetwork):
            raise UserError(f"{backbone.name}: there are no maps inside {self.stage}, only after it")
        path, shape = place_inside(backbone, place)
        self._module, self.channels = backbone.get_submodule(path), shape[1]

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within the context a pass is taken notice of inside its stage."""
        if self._module is None:
            yield
            return
        hook = self._module.register_forward_hook(self._see)
        try:
            yield
        finally:
            hook.remove()

    def of(self, features: Mapping[str, Tensor]) -> Tensor:
        """The features of the pass that was listened to, given those of its stages."""
        if self._module is None:
            return features[self.stage]
        seen, self._seen = self._seen, None
        assert seen is not None, "listening() has seen a pass"
        return seen

    def _see(self, module: object, inputs: object, output: Tensor) -> None:
        self._seen = output
