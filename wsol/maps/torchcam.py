"""Post-hoc class maps through torchcam, on the network as trained, without changing it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from wsol.attention.warps import pulled_back
from wsol.errors import UserError, suggest
from wsol.maps.contract import Columns, ModelMaps
from wsol.models.localizer import Localizer, LocalizerOutput
from wsol.models.networks.tokens.whole_network import WholeNetwork

# One forward and one backward pass an image. ScoreCAM and its kin run hundreds of forward passes on
# masked inputs of their own; they do not fit one pass over a loader.
METHODS = ("GradCAM", "GradCAMpp", "LayerCAM", "XGradCAM")


class TorchCam(ModelMaps):
    """A post-hoc method of torchcam: torchcam:GradCAM, GradCAMpp, LayerCAM or XGradCAM."""

    of_class = "true"
    own_pass = True
    gradients = True
    takes_argument = True

    def __init__(self, name: str, argument: str = "") -> None:
        super().__init__(name, argument)
        if argument not in METHODS:
            raise UserError(f"unknown torchcam method {argument!r}{suggest(argument, METHODS)}")

    @contextmanager
    def ready(self, localizer: Localizer) -> Iterator[None]:
        """Hooks on the last features, and off again whatever happens."""
        # Imported here: it imports torchvision, and most runs do without it.
        from torchcam import methods

        with (
            _read_features(localizer, self.name) as features,
            getattr(methods, self.argument)(localizer, features) as extractor,
        ):
            self._extractor = extractor
            yield

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Maps (N, h, w) of each image's class, as the method made them, not normalised."""
        if any(len(own) > 1 for own in columns):
            raise UserError(f"{self.name} reads one class an image; evaluation.classes has several")
        # torchcam's own normalisation divides by the maximum plus 1e-8, which moves thresholds.
        maps = self._extractor([own[0] for own in columns], output.logits, normalized=False)[0]
        return pulled_back(maps, output.window)


@contextmanager
def _read_features(localizer: Localizer, name: str) -> Iterator[nn.Module]:
    """The module that gives the features to read: those that go into the head.

    A classifier of the class token has no gradient at the last block's patch tokens: then those that go
    into that block, from which its attention makes the class token.
    """
    tokens = localizer.backbone.tokens
    if getattr(localizer.head, "reads_maps", True):
        yield _last_features(localizer)
        return
    whole = localizer.backbone.stages[localizer.backbone.last_maps]
    if tokens is None or not tokens.is_plain or len(tokens.blocks) < 2:
        raise UserError(
            f"{name}: {localizer.backbone.name} classifies by its class token, so its last maps get no "
            "gradient: take --maps features, or head.name cam and training"
        )
    assert isinstance(whole, WholeNetwork)
    with whole.maps_before_last_block() as maps:
        yield maps


def _last_features(localizer: Localizer) -> nn.Module:
    """The module whose output goes into the head."""
    last = localizer.backbone.last_maps
    attended = localizer.stage_attention
    return attended[last] if last in attended else localizer.backbone.stages[last]
