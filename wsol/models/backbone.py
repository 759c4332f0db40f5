"""Any convolutional network as named stages: ``stage1`` .. ``stage5`` by stride 2 .. 32, a ``neck``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from torch import Tensor, nn

from wsol.attention.contract import GLOBAL, stage_of
from wsol.errors import UserError
from wsol.models.networks.by_name import (
    CLASSIFIER,
    PROBE,
    SMALL,
    check_chain,
    feature_chain,
    holds_parameters,
    is_chain,
    octave,
    probe,
)
from wsol.models.networks.catalogue import BACKBONES
from wsol.models.networks.ltpa_networks import NamedStages
from wsol.models.networks.stage_names import NECK, members_of, source_names_of
from wsol.models.networks.strides import refuse_strides, set_strides
from wsol.models.networks.tokens.chain import links_of
from wsol.models.networks.tokens.chain import stage_of as stage_of_links
from wsol.models.networks.tokens.cuts import cut, sources
from wsol.models.networks.tokens.hybrid import stem_of, take_stem
from wsol.models.networks.tokens.sides import own_side
from wsol.models.networks.tokens.stage import Aside, TokenStage, through
from wsol.models.networks.tokens.token_network import TokenNetwork, has_plain_blocks
from wsol.models.networks.tokens.whole_network import token_network, whole_network
from wsol.recipe import BackboneSettings


class Backbone(nn.Module):
    """Images (N, 3, H, W) through ``stages``, one after another.

    ``stages`` maps ``stage1`` .. ``stage5`` to modules, as many as the network has, and ``neck`` to what
    follows the last stage without looking at neighbours (MobileNet's 1x1 convolution to 1280). A stage's
    number is the power of two of its stride in the network as published (ResNet: layer1 is stage2), and
    stays when strides are changed. VGG's stages end with their pooling, as its convolution blocks are
    counted; all others begin with what strides.

    Attributes:
        stage_channels: stage to channels.
        stage_strides: stage to stride against the image, after changes.
        source_names: a module's name here to its name in the library's network.
        side: of the images that show its shapes, in pixels; a network of tokens takes no other.
        tokens: what a network of tokens at one stride is made of; None on all others.
        frozen: the stages that stay in evaluation mode, whatever mode the network is in.
    """

    def __init__(
        self,
        name: str,
        stages: Mapping[str, nn.Module],
        source_names: dict[str, str],
        side: int = PROBE,
        tokens: TokenNetwork | None = None,
    ) -> None:
        super().__init__()
        self.name, self.side, self.tokens = name, side, tokens
        self.stages = nn.ModuleDict(stages)
        self.source_names = source_names
        shapes = probe(stages, side)
        self.stage_channels = {stage: shape[1] for stage, shape in shapes.items()}
        self.stage_strides = {stage: 2 ** octave(shape[2], side) for stage, shape in shapes.items()}
        self.frozen: tuple[str, ...] = ()
        self._trained_inside: list[nn.Module] = []

    @property
    def out_channels(self) -> int:
        """Channels of the last features."""
        return list(self.stage_channels.values())[-1]

    @property
    def numbered(self) -> list[str]:
        """The stages that ``-1`` counts, shallow first: without neck or global vector."""
        return [stage for stage in self.stages if stage not in (NECK, GLOBAL)]

    @property
    def last_maps(self) -> str:
        """The last stage that has maps; a network's own vector of the whole image has none."""
        return [stage for stage in self.stages if stage != GLOBAL][-1]

    def freeze(self, stages: Sequence[str], but: Sequence[nn.Module] = ()) -> None:
        """Keep ``stages`` as they are: no gradient, statistics fixed, nothing dropped.

        ``but`` are modules inside them, such as attention, that go on as the rest of the network does.
        """
        self.frozen, self._trained_inside = tuple(stages), list(but)
        kept = {id(parameter) for module in but for parameter in module.parameters()}
        for stage in stages:
            for parameter in self.stages[stage].parameters():
                if id(parameter) not in kept:
                    parameter.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """The mode of all but what is frozen."""
        super().train(mode)
        for stage in self.frozen:
            self.stages[stage].eval()
        for module in self._trained_inside:
            module.train(mode)
        return self

    def drop_global(self) -> None:
        """Leave out the network's own vector of the whole image, for heads that read maps alone.

        LTPA's plain networks classify that vector, which has no maps; their CAM rows here classify the
        last maps. The layers after these would not change any output, yet count as parameters.
        """
        if GLOBAL in self.stages:
            del self.stages[GLOBAL], self.stage_channels[GLOBAL], self.stage_strides[GLOBAL]

    def drop_final_norm(self) -> None:
        """Leave out a token network's norm after its last block, for heads that read what is before."""
        trunk = getattr(self.stages[self.last_maps], "trunk", None)
        if isinstance(getattr(trunk, "norm", None), nn.Module):
            trunk.norm = nn.Identity()  # type: ignore[union-attr]

    def resolve(self, place: str) -> str:
        """The stage that ``place`` names; ``-1`` is the last numbered one, before any neck."""
        try:
            return place if place in self.stages else stage_of(place, self.numbered)
        except UserError:
            there = ", ".join(self.stages)
            raise UserError(f"backbone {self.name} has no stage {place!r}: there are {there}") from None

    def forward(self, images: Tensor) -> Tensor:
        """The last features (N, C, h, w)."""
        return self.with_prefix(images)[0]

    def with_prefix(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """The last features, and the prefix tokens (N, P, C) beside them, None without any."""
        aside = Aside()
        for stage in self.stages.values():
            images = through(stage, images, aside)
        return images, aside.prefix


def as_stages(network: nn.Module, settings: BackboneSettings, side: int | None = None) -> Backbone:
    """The network's own modules (with their weights) as a `Backbone`, at the strides asked for.

    ``side`` of the images in pixels matters where the network takes no other (its own without one).
    """
    if isinstance(network, NamedStages):
        return _as_named(network, settings)
    chain = feature_chain(network)
    own = own_side(network)
    fixed = own and (side or own)
    tested = settings.name in BACKBONES and not holds_parameters(network)
    # Some take one side only and do not say it.
    tries = [fixed] if fixed else [SMALL, PROBE]
    whole = has_plain_blocks(network)
    if whole or (not tested and not any(is_chain(network, chain, one) for one in tries)):
        if not hasattr(network, "forward_features"):
            check_chain(settings.name, network, chain)
        if stages := cut(network):
            return _as_cut(network, settings, stages, fixed or side or PROBE)
        return _as_one_stage(network, settings, fixed or side or PROBE)
    members = members_of(settings.name, links_of(chain, fixed or PROBE), fixed or PROBE)
    stages = {stage: stage_of_links(list(links.values())) for stage, links in members.items()}
    set_strides(settings, stages, fixed or PROBE)
    return Backbone(settings.name, stages, source_names_of(members), fixed or PROBE)


def _as_named(network: NamedStages, settings: BackboneSettings) -> Backbone:
    """A network that names its own stages (LTPA's)."""
    refuse_strides(settings)
    names = {f"stages.{stage}": f"stages.{stage}" for stage in network.stages}
    return Backbone(settings.name, dict(network.stages.items()), names, network.input_size)


def _as_cut(
    network: nn.Module, settings: BackboneSettings, stages: list[TokenStage], side: int
) -> Backbone:
    """A network that is no chain, in the stages that are known of it."""
    refuse_strides(settings)
    shapes = probe({str(number): stage for number, stage in enumerate(stages)}, side)
    named = {
        f"stage{octave(shape[2], side)}": stage
        for shape, stage in zip(shapes.values(), stages, strict=True)
    }
    return Backbone(settings.name, named, sources(named, network), side)


def _as_one_stage(network: nn.Module, settings: BackboneSettings, side: int) -> Backbone:
    """A network that is no chain: all of it but its classifier one stage, behind a hybrid's stem."""
    refuse_strides(settings)
    whole = whole_network(settings.name, network, CLASSIFIER, side)
    last = f"stage{octave(whole.grid[0], side)}"
    stem, members = stem_of(whole.trunk), {}
    if stem is not None and is_chain(stem, feature_chain(stem), side):
        links = links_of(feature_chain(stem), side)
        members = members_of(settings.name, links, side, "patch_embed.backbone.")
        take_stem(whole.trunk, list(members.pop(last, {}).values()))
    names = {f"stages.{last}.trunk.{link}": link for link, _ in whole.trunk.named_children()}
    stages = {stage: stage_of_links(list(own.values())) for stage, own in members.items()}
    return Backbone(
        settings.name,
        {**stages, last: whole},
        {**source_names_of(members), **names},
        side,
        token_network(network, whole, side),
    )
