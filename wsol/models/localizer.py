"""Backbone, attention and head as one network that shows its maps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from wsol.attention.contract import INPUT, HeadOutput
from wsol.attention.warps import composed, pulled_back
from wsol.errors import UserError
from wsol.models.backbone import Backbone
from wsol.models.class_token_head import ClassTokenHead
from wsol.models.erasing_head import ErasingHead
from wsol.models.heads import CamHead
from wsol.models.insertion.feedback_block import FeedbackBlock, lowered_steps
from wsol.models.networks.tokens.stage import Aside, through
from wsol.models.own_classifier import OwnClassifier
from wsol.models.packed import unpacked
from wsol.models.parameter_groups import grouped, without_gradient
from wsol.models.placed import Placed, named_maps
from wsol.models.tapped_head import TappedHead
from wsol.models.token_head import TokenHead


class LocalizerOutput(NamedTuple):
    """Logits (N, K), class maps (N, K, h, w) or None, attention maps {name: (N, h, w)}.

    ``features`` (N, C, h, w) are the last ones before the head. Where the network looks at a window of
    the image, ``window`` (N, 2, 3) says at which; then features lie in it, and maps in the image.
    ``prefix`` (N, P, C) are a token network's last tokens that have no place in the image, the class
    token first where there is one (`wsol.models.backbone.Backbone.tokens`); None without any.
    """

    logits: Tensor
    class_maps: Tensor | None
    attention: Mapping[str, Tensor]
    features: Tensor
    window: Tensor | None = None
    prefix: Tensor | None = None


class Localizer(nn.Module):
    """Images (N, 3, H, W), normalised, to `LocalizerOutput`.

    Attributes:
        backbone: the network's stages; gates and feedback sit inside its blocks.
        stage_attention: stage to the attention after it; `INPUT` to the one before the first.
        head: a `CamHead`, a `ClassTokenHead`, a `TappedHead` where the attention is the head, an
            `OwnClassifier`, or what a method puts in its place.
        placed: place (``stage5``, ``stage5.0``) to the wrapper that holds attention there.
        class_keys: the classes' keys in the order of the logits.
        input_size: side of the images it was built for, in pixels.
        as_drawn: parameters that pretrained weights have left as they were drawn, by name.
        pretrained_sha256: of the pretrained weights that were loaded, as
            `wsol.models.weights.loading.tensors_sha256` takes it; empty where none were.
    """

    def __init__(
        self,
        backbone: Backbone,
        head: CamHead | ClassTokenHead | ErasingHead | OwnClassifier | TappedHead | TokenHead,
        placed: Mapping[str, Placed | FeedbackBlock] | None = None,
        class_keys: Sequence[str] = (),
        input_size: int = 224,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head: CamHead | ClassTokenHead | ErasingHead | OwnClassifier | TappedHead | TokenHead = head
        self.placed = dict(placed or {})
        self.stage_attention = nn.ModuleDict(
            {
                place: wrapper
                for place, wrapper in self.placed.items()
                if place in backbone.stages or place == INPUT
            }
        )
        self.class_keys = list(class_keys)
        self.input_size = input_size
        self._features_given = False
        self.as_drawn: list[str] = []
        self.pretrained_sha256 = ""

    @property
    def starts_as_identity(self) -> bool:
        """Whether the attention, fresh, leaves the pretrained network as it is."""
        modules = [wrapper.module for wrapper in self.placed.values() if isinstance(wrapper, Placed)]
        alike = [bool(getattr(module, "identity_start", False)) for module in modules]
        return len(modules) == len(self.placed) > 0 and all(alike)

    def stage_features(self, images: Tensor, keep: Collection[str] = ()) -> dict[str, Tensor]:
        """Features after attention of the stages ``keep`` and of the backbone's last, shallow first."""
        return self._pass(images, keep)[0]

    def _pass(self, images: Tensor, keep: Collection[str]) -> tuple[dict[str, Tensor], Aside]:
        """`stage_features`, and what has travelled beside them."""
        kept = {*keep, self.backbone.last_maps, list(self.backbone.stages)[-1]}
        features: dict[str, Tensor] = {}
        aside = Aside()
        stages: Mapping[str, nn.Module] = dict(self.backbone.stages.items())
        if self._features_given:
            stages = {self.backbone.last_maps: nn.Identity()}
            images, aside.prefix = unpacked(images, self.backbone)
        if INPUT in self.stage_attention:
            images = self.stage_attention[INPUT](images)
        for name, stage in stages.items():
            images = through(stage, images, aside)
            if name in self.stage_attention:
                images = self.stage_attention[name](images)
            if name in kept:
                features[name] = images
        return features, aside

    @contextmanager
    def features_given(self) -> Iterator[None]:
        """Within the context the network is given `packed_features` of images, and no images.

        `wsol.training.cacheable` says where that can be.
        """
        self._features_given = True
        try:
            yield
        finally:
            self._features_given = False

    def tapped_features(self, images: Tensor, keep: Collection[str] = ()) -> dict[str, Tensor]:
        """`stage_features` without the head, for methods that ask it in their own way."""
        return self.tapped_pass(images, keep)[0]

    def tapped_pass(self, images: Tensor, keep: Collection[str] = ()) -> tuple[dict[str, Tensor], Aside]:
        """`tapped_features`, and what has travelled beside them: ``prefix`` tokens (N, P, C)."""
        features, aside = self._pass(images, keep)
        self._collect()  # or attention would keep its maps until the next pass
        return features, aside

    def last_features(self, images: Tensor) -> Tensor:
        """The features that go into the head, (N, C, h, w)."""
        return self.tapped_features(images)[self.backbone.last_maps]

    def attended_vectors(self, images: Tensor) -> Tensor:
        """What the classifier is given of each image, (N, D).

        Of a head that says so (LTPA) its attended vectors; of one that decides by the class token that
        token; of others the global average of the last features after attention and the head's own
        layers.
        """
        head = self.head
        if isinstance(head, TappedHead) and hasattr(head.module, "attended"):
            module: Any = head.module
            return module.attended(head.tapped(self.tapped_features(images, head.taps)))
        if getattr(head, "reads_class_token", False):
            prefix = self.tapped_pass(images)[1].prefix
            if prefix is not None:
                return prefix[:, 0]
        features = self.last_features(images)
        return (head.before(features) if isinstance(head, CamHead) else features).mean(dim=(2, 3))

    @property
    def fitted(self) -> list[Tensor]:
        """What was fitted after training and is no parameter: it counts as the network's cost."""
        return []

    def forward(self, images: Tensor) -> LocalizerOutput:
        """One pass: logits, class maps, attention maps and the last features."""
        taps = self.head.taps if isinstance(self.head, TappedHead) else ()
        stages, aside = self._pass(images, taps)
        features = stages[self.backbone.last_maps]
        logits, class_maps, attention = self.head_output(stages if taps else features, aside.prefix)
        maps, window = self._collect()
        maps |= {name: pulled_back(own, window) for name, own in attention.items()}
        if class_maps is not None:
            class_maps = pulled_back(class_maps, window)
        return LocalizerOutput(logits, class_maps, maps, features, window, aside.prefix)

    def head_output(self, features: Tensor | Mapping[str, Tensor], prefix: Tensor | None) -> HeadOutput:
        """What the head says of the last features (N, C, h, w), or of the stages that it taps.

        A head with ``reads_prefix`` also gets the prefix tokens (N, P, C).
        """
        if getattr(self.head, "reads_prefix", False):
            return self.head(features, prefix)
        return self.head(features)

    def _collect(self) -> tuple[dict[str, Tensor], Tensor | None]:
        """The maps that the wrappers kept, by name, shallow first, and the window of all warps together.

        They are kept no longer than this pass. Each map is pulled back by the warps before it.
        """
        maps: dict[str, Tensor] = {}
        window: Tensor | None = None
        for place, wrapper in self.placed.items():
            if isinstance(wrapper, Placed):
                own, theta = wrapper.maps, wrapper.theta
                wrapper.maps, wrapper.theta = {}, None
            else:
                own, theta = named_maps(place, wrapper.last_attention), None
                wrapper.last_attention = {}
            maps |= {name: pulled_back(one, window) for name, one in own.items()}
            window = composed(window, theta)
        return maps, window

    @property
    def attention_modules(self) -> list[nn.Module]:
        """The attention modules themselves, shallow first."""
        modules = [
            wrapper.module if isinstance(wrapper, Placed) else wrapper.attention
            for wrapper in self.placed.values()
        ]
        if isinstance(self.head, TokenHead):
            return [*modules, self.head]
        return [*modules, self.head.module] if isinstance(self.head, TappedHead) else modules

    @property
    def attention_parts(self) -> list[nn.Module]:
        """All that attention has added to the network, shallow first: norms of later steps too."""
        parts: list[nn.Module] = []
        for wrapper in self.placed.values():
            parts += (
                [wrapper] if isinstance(wrapper, Placed) else [wrapper.attention, wrapper.step_norms]
            )
        return parts

    @torch.no_grad()
    def attention_names(self) -> list[str]:
        """Names of the attention maps that a forward pass in evaluation mode shows, shallow first."""
        if not self.attention_modules:
            return []
        parameter = next(self.parameters())
        side = self.input_size
        training = self.training
        try:
            return list(self.eval()(parameter.new_zeros(1, 3, side, side)).attention)
        finally:
            self.train(training)

    @property
    def default_map(self) -> str | None:
        """The attention map that ``--maps attention`` reads: the deepest one of the module's default."""
        names = self.attention_names()
        if not names:
            return None
        key = getattr(self.attention_modules[-1], "default_map", None)
        if key is None:
            return names[-1]
        matching = [name for name in names if name == key or name.endswith(f".{key}")]
        if not matching:
            kind = type(self.attention_modules[-1]).__name__
            raise UserError(f"{kind}.default_map is {key!r}, but its maps are {', '.join(names)}")
        return matching[-1]

    def parameter_groups(self, head_from: str = "") -> dict[str, list[nn.Parameter]]:
        """Parameters by part: ``backbone``, ``attention``, ``head``; each exactly once.

        A feedback block's norms of the later steps are attention: without it they would not be. The
        backbone's own from the stage ``head_from`` on count as head; ``UserError`` where it is none.
        """
        return grouped(self, head_from)

    def parameters_without_gradient(self) -> set[str]:
        """Names of the parameters that the modules declare to get no gradient by design.

        Where a head ignores the vector of the whole image, so do the stages above its last tap.
        """
        return without_gradient(self)

    def at_step(self, t: int) -> AbstractContextManager[None]:
        """Within the context feedback takes ``t`` steps; ``UserError`` where it has not so many."""
        return lowered_steps(self, t)
