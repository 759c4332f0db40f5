"""How each map source reads one score map an image from a localizer's output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from wsol.attention.contract import channel_mean
from wsol.errors import UserError, suggest
from wsol.maps import SOURCES
from wsol.models.localizer import Localizer, LocalizerOutput

PREDICTED = "cam@predicted"
# These lower the model's steps, or need its gradients: they cannot share another's forward pass.
OWN_PASS = ("cam@t=", "torchcam:")

# For each image the logits' columns of its class, the true or the predicted one: one, or several that
# stand for it together. Empty for sources that read no class.
Columns = Sequence[Sequence[int]]

# Output of one batch and its images' columns -> maps (N, h, w).
MapReader = Callable[[LocalizerOutput, Columns], Tensor]


def class_maps(output: LocalizerOutput, columns: Columns) -> Tensor:
    """Each image's map of its class, (N, h, w); of several logits that stand for it, the mean."""
    if output.class_maps is None:
        raise UserError("this head has no class maps: choose --maps attention or features")
    maps = zip(output.class_maps, columns, strict=True)
    return torch.stack([of_image[list(own)].mean(dim=0) for of_image, own in maps])


def feature_mean(output: LocalizerOutput, columns: Columns) -> Tensor:
    """Channel mean of the last features, (N, h, w): no class, no training of maps."""
    return output.features.mean(dim=1)


def attention_map(name: str) -> MapReader:
    """The reader of one of the attention module's own maps."""

    def read(output: LocalizerOutput, columns: Columns) -> Tensor:
        if name not in output.attention:
            have = suggest(name, output.attention) if output.attention else ": this model has none"
            raise UserError(f"unknown attention map {name!r}{have}")
        return channel_mean(output.attention[name])

    return read


def resolve(source: str, localizer: Localizer) -> str:
    """The name the board writes: ``attention`` becomes ``attention:<the module's default>``."""
    if source != "attention":
        return source
    name = localizer.default_map
    if not name:
        raise UserError("--maps attention: this model has no attention map of its own")
    return f"attention:{name}"


def reader(source: str, localizer: Localizer) -> tuple[MapReader, AbstractContextManager[Any]]:
    """How to read ``source`` at given columns, and the state of the localizer to read it in."""
    if source in ("cam", PREDICTED):
        return class_maps, nullcontext()
    if source.startswith("cam@t="):
        return class_maps, localizer.at_step(_step(source))
    if source == "features":
        return feature_mean, nullcontext()
    if source.partition(":")[0] == "attention":
        return attention_map(resolve(source, localizer).partition(":")[2]), nullcontext()
    if source.startswith("torchcam:"):
        from wsol.maps.post_hoc import PostHoc

        post_hoc = PostHoc(source.partition(":")[2], localizer)
        return post_hoc, post_hoc.hooked()
    if source in SOURCES:
        raise UserError(f"map source {source!r} is no map of a model: {SOURCES[source]}")
    known = ("cam", PREDICTED, "attention", "features", "torchcam:GradCAM")
    raise UserError(f"unknown map source {source!r}{suggest(source, known)}")


def reads_class(source: str) -> bool:
    """Whether the map is that of a class, so that the reader needs each image's columns."""
    return source.startswith(("cam", "torchcam:"))


def passes(sources: Sequence[str]) -> list[list[str]]:
    """``sources`` by forward pass: those that read the same output share one. Doubles are dropped."""
    sources = list(dict.fromkeys(sources))
    shared = [source for source in sources if not source.startswith(OWN_PASS)]
    return ([shared] if shared else []) + [[source] for source in sources if source.startswith(OWN_PASS)]


def _step(source: str) -> int:
    try:
        return int(source.removeprefix("cam@t="))
    except ValueError:
        raise UserError(f"map source {source!r}: t must be a whole number, as in cam@t=1") from None
