"""One forward pass an image batch -> one score map an image, by the source's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsol.attention.contract import channel_mean
from wsol.errors import UserError, suggest
from wsol.models.localizer import Localizer, LocalizerOutput
from wsol.records import Prediction

# (images, output, labels) -> (N, h, w)
MapReader = Callable[[Tensor, LocalizerOutput, Tensor], Tensor]


def class_maps(images: Tensor, output: LocalizerOutput, labels: Tensor) -> Tensor:
    """Each image's class map of its label, (N, h, w)."""
    if output.class_maps is None:
        raise UserError("this head has no class maps: choose --maps attention or features")
    return output.class_maps[torch.arange(len(labels), device=labels.device), labels]


def feature_mean(images: Tensor, output: LocalizerOutput, labels: Tensor) -> Tensor:
    """Channel mean of the last features, (N, h, w): no class, no training of maps."""
    return output.features.mean(dim=1)


def attention_map(name: str) -> MapReader:
    """The reader of one of the attention module's own maps."""

    def read(images: Tensor, output: LocalizerOutput, labels: Tensor) -> Tensor:
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
    """How to read ``source``, and the state of the localizer to read it in."""
    if source == "cam":
        return class_maps, nullcontext()
    if source.startswith("cam@t="):
        return class_maps, localizer.at_step(_step(source))
    if source == "features":
        return feature_mean, nullcontext()
    if source.startswith("attention"):
        return attention_map(resolve(source, localizer).partition(":")[2]), nullcontext()
    if source.startswith("torchcam:"):
        from wsol.maps.post_hoc import post_hoc

        return post_hoc(source.partition(":")[2], localizer)
    known = ("cam", "attention", "features", "center", "torchcam:GradCAM")
    raise UserError(f"unknown map source {source!r}{suggest(source, known)}")


def predictions(
    localizer: Localizer, batches: Iterable[Any], source: str, device: torch.device | str
) -> Iterator[Prediction]:
    """Predictions of ``localizer``, in evaluation mode, in the order of ``batches``.

    A batch has ``images`` (N, 3, H, W), ``labels`` (N,), ``image_ids`` and ``real``, the number of
    images that are not padding. The maps are those of the true labels.
    """
    read, state = reader(source, localizer)
    localizer.eval()
    # A post-hoc method needs gradients; everything else is quicker without.
    gradients = torch.enable_grad() if source.startswith("torchcam:") else torch.inference_mode()
    with state, gradients:
        for batch in batches:
            images = batch.images.to(device, non_blocking=True)
            labels = batch.labels.to(device, non_blocking=True)
            output = localizer(images)
            maps = read(images, output, labels).detach().float().cpu().numpy()
            top5 = output.logits.topk(min(5, output.logits.shape[1]), dim=1).indices.cpu().numpy()
            for index in range(batch.real):
                yield Prediction(
                    image_id=batch.image_ids[index],
                    label=int(batch.labels[index]),
                    top5=tuple(int(label) for label in top5[index]),
                    # A copy: a view would keep the whole batch alive while maps wait to be scored.
                    score_map=np.array(maps[index], dtype=np.float32),
                )


def _step(source: str) -> int:
    try:
        return int(source.removeprefix("cam@t="))
    except ValueError:
        raise UserError(f"map source {source!r}: t must be a whole number, as in cam@t=1") from None
