"""One forward pass an image batch -> one score map an image, by the source's name."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from wsol.attention.contract import channel_mean
from wsol.errors import UserError, suggest
from wsol.maps import SOURCES
from wsol.models.localizer import Localizer, LocalizerOutput
from wsol.records import Prediction

if TYPE_CHECKING:
    from wsol.data.loader import Batch

PREDICTED = "cam@predicted"


class Clock:
    """Images and seconds of forward passes; the first batch, which warms up, is left out."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, float]] = []

    def count(self, images: int, seconds: float) -> None:
        """Add one batch."""
        self.batches.append((images, seconds))

    @property
    def images_per_second(self) -> float | None:
        """The median batch's throughput, None before the second batch."""
        rates = [images / seconds for images, seconds in self.batches[1:] if seconds > 0]
        return statistics.median(rates) if rates else None


# For each image the logits' columns of its class: one, or several that stand for it together.
Columns = Sequence[Sequence[int]]

# Output of one batch and its images' columns -> maps (N, h, w).
MapReader = Callable[[LocalizerOutput, Columns], Tensor]


def class_maps(output: LocalizerOutput, columns: Columns) -> Tensor:
    """Each image's class map of its true class, (N, h, w); of several that stand for it, the mean."""
    if output.class_maps is None:
        raise UserError("this head has no class maps: choose --maps attention or features")
    maps = zip(output.class_maps, columns, strict=True)
    return torch.stack([of_image[list(own)].mean(dim=0) for of_image, own in maps])


def predicted_class_maps(output: LocalizerOutput, columns: Columns) -> Tensor:
    """Each image's class map of the class predicted for it, (N, h, w): for images of unknown class."""
    return class_maps(output, output.logits.argmax(dim=1, keepdim=True).tolist())


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
    """How to read ``source``, and the state of the localizer to read it in."""
    if source == "cam":
        return class_maps, nullcontext()
    if source == PREDICTED:
        return predicted_class_maps, nullcontext()
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


def predictions(
    localizer: Localizer,
    batches: Iterable[Batch],
    source: str,
    class_keys: Sequence[str],
    device: torch.device | str = "cpu",
    clock: Clock | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[Prediction]:
    """Predictions of ``localizer``, in evaluation mode, in the order of ``batches``.

    The maps are those of the true labels, or of the predicted ones (``cam@predicted``, which alone
    takes a data set whose classes the model does not know). ``class_keys`` are the data set's classes:
    the model may know more (a 1000-way network on ten). Top-5 classes the data set lacks become -1.
    ``groups`` says which of the model's classes stand for one of the data set's. ``clock`` counts images
    and the seconds from the batch on the device to its maps in memory.
    """
    read, state = reader(source, localizer)
    classless = source == PREDICTED and not set(class_keys) <= set(localizer.class_keys)
    columns = class_columns(
        localizer.class_keys, localizer.class_keys if classless else class_keys, groups or {}
    )
    labels_of = {column: label for label, own in enumerate(columns) for column in own}
    localizer.eval()
    # A post-hoc method needs gradients; everything else is quicker without.
    gradients = torch.enable_grad() if source.startswith("torchcam:") else torch.inference_mode()
    with state, gradients:
        for batch in batches:
            images = batch.images.to(device, non_blocking=True)
            started = time.perf_counter()
            output = localizer(images)
            # An image without a label (-1) is only ever read at its predicted class.
            wanted = [columns[max(label, 0)] for label in batch.labels.tolist()]
            maps = read(output, wanted).detach().float().cpu().numpy()
            if clock is not None:
                clock.count(len(images), time.perf_counter() - started)
            top5 = output.logits.topk(min(5, output.logits.shape[1]), dim=1).indices.tolist()
            for index in range(batch.real):
                yield Prediction(
                    image_id=batch.image_ids[index],
                    label=int(batch.labels[index]),
                    top5=() if classless else tuple(labels_of.get(k, -1) for k in top5[index]),
                    # A copy: a view would keep the whole batch alive while maps wait to be scored.
                    score_map=np.array(maps[index], dtype=np.float32),
                )


def class_columns(
    model_keys: Sequence[str], class_keys: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> list[list[int]]:
    """The model's logits of each class of the data set; ``UserError`` for a class it lacks."""
    if not model_keys:
        return [[label] for label in range(len(class_keys))]
    column = {key: index for index, key in enumerate(model_keys)}
    unknown = [key for key in groups if key not in class_keys]
    if unknown:
        raise UserError(f"evaluation.classes: no class {unknown[0]!r}{suggest(unknown[0], class_keys)}")
    wanted = {key: list(groups.get(key, [key])) for key in class_keys}
    lacking = [key for key, own in wanted.items() if not own or any(name not in column for name in own)]
    if lacking:
        raise UserError(
            f"the model lacks {len(lacking)} of the data set's {len(class_keys)} classes, "
            f"e.g. {lacking[0]!r}: say in evaluation.classes which of the model's stand for it"
        )
    return [[column[name] for name in own] for own in wanted.values()]


def _step(source: str) -> int:
    try:
        return int(source.removeprefix("cam@t="))
    except ValueError:
        raise UserError(f"map source {source!r}: t must be a whole number, as in cam@t=1") from None
