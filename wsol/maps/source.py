"""One forward pass an image batch -> one score map an image and source."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from wsol.errors import UserError, suggest
from wsol.maps.readers import PREDICTED, Columns, MapReader, passes, reader, reads_class
from wsol.models.localizer import Localizer, LocalizerOutput
from wsol.scores.records import Prediction

if TYPE_CHECKING:
    from wsol.data.loading.loader import Batch


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


def predictions(
    localizer: Localizer,
    batches: Iterable[Batch],
    source: str,
    class_keys: Sequence[str] | None,
    device: torch.device | str = "cpu",
    clock: Clock | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[Prediction]:
    """Predictions of ``localizer`` by one source; the arguments are those of `predictions_of`."""
    stream = predictions_of(localizer, batches, [source], class_keys, device, clock, groups)
    return (prediction for _, prediction in stream)


def predictions_of(
    localizer: Localizer,
    batches: Iterable[Batch],
    sources: Sequence[str],
    class_keys: Sequence[str] | None,
    device: torch.device | str = "cpu",
    clock: Clock | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[tuple[str, Prediction]]:
    """Pairs (source, prediction) of ``localizer``, in evaluation mode, in the order of ``batches``.

    All ``sources`` are read from one forward pass; which may share one, `readers.passes` says. The maps
    are those of the true labels, or of the predicted ones (``cam@predicted``, which alone takes a data
    set whose classes the model does not know). ``class_keys`` are the data set's classes: the model may
    know more (a 1000-way network on ten). Top-5 classes the data set lacks become -1; where its classes
    are not the model's, or it has none, there is no top-5. None: nothing is known of the images; every
    source shows the predicted class, and top-5 are the model's labels. ``groups`` says which of the
    model's classes stand for one of the data set's. ``clock`` counts images and the seconds from the
    batch on the device to its maps in memory.

    ``UserError`` where the map of the true class is asked for and an image has no label (-1).
    """
    if len(passes(sources)) > 1:
        raise UserError(f"map sources {', '.join(sources)} cannot be read from one forward pass")
    views = [View.of(source, localizer, class_keys, groups or {}) for source in sources]
    localizer.eval()
    # A post-hoc method needs gradients; everything else is quicker without.
    gradients = torch.enable_grad() if sources[0].startswith("torchcam:") else torch.inference_mode()
    with ExitStack() as states, gradients:
        for view in views:
            states.enter_context(view.state)
        for batch in batches:
            images = batch.images.to(device, non_blocking=True)
            started = time.perf_counter()
            output = localizer(images)
            maps = [view.maps(output, batch) for view in views]
            if clock is not None:
                clock.count(len(images), time.perf_counter() - started)
            top5 = output.logits.topk(min(5, output.logits.shape[1]), dim=1).indices.tolist()
            for index in range(batch.real):
                for view, own in zip(views, maps, strict=True):
                    yield (
                        view.source,
                        Prediction(
                            image_id=batch.image_ids[index],
                            label=int(batch.labels[index]),
                            top5=view.classes(top5[index]),
                            # A copy: a view would keep the whole batch alive while maps wait.
                            score_map=np.array(own[index], dtype=np.float32),
                        ),
                    )


def check_sources(localizer: Localizer, sources: Sequence[str]) -> None:
    """Read each source and the default map from a blank image; ``UserError`` where one fails."""
    from wsol.data.loading.loader import Batch

    localizer.default_map  # noqa: B018  # A module may name a map that it does not show.
    side = localizer.input_size
    device = next(localizer.parameters()).device
    blank = Batch(
        torch.zeros(1, 3, side, side), torch.zeros(1, dtype=torch.long), [""], torch.zeros(1), 1
    )
    for together in passes(sources):
        for _ in predictions_of(localizer, [blank], together, localizer.class_keys, device):
            pass


@dataclass(frozen=True)
class View:
    """One source's reading of a model's outputs for a data set.

    ``columns`` are the logits that stand for each class, None where the predicted class is read;
    ``labels_of`` the way back, empty where the data set's classes are not the model's.
    """

    source: str
    read: MapReader
    state: AbstractContextManager[Any]
    columns: list[list[int]] | None
    labels_of: dict[int, int]

    @classmethod
    def of(
        cls,
        source: str,
        localizer: Localizer,
        class_keys: Sequence[str] | None,
        groups: Mapping[str, Sequence[str]],
    ) -> View:
        """``UserError`` for an unknown source, or a class that the model lacks."""
        read, state = reader(source, localizer)
        if class_keys is None:
            own = range(len(localizer.class_keys))
            return cls(source, read, state, None, {label: label for label in own})
        predicted = source == PREDICTED
        if predicted and lacking_classes(localizer.class_keys, class_keys, groups):
            return cls(source, read, state, None, {})
        columns = class_columns(localizer.class_keys, class_keys, groups)
        labels_of = {column: label for label, own in enumerate(columns) for column in own}
        return cls(source, read, state, None if predicted else columns, labels_of)

    def maps(self, output: LocalizerOutput, batch: Batch) -> np.ndarray:
        """(N, h, w) float32 maps of a batch."""
        wanted = self._wanted(output, batch) if reads_class(self.source) else []
        return self.read(output, wanted).detach().float().cpu().numpy()

    def classes(self, logits: Sequence[int]) -> tuple[int, ...]:
        """The data set's labels of some of the model's logits, -1 where it has none."""
        return tuple(self.labels_of.get(column, -1) for column in logits) if self.labels_of else ()

    def _wanted(self, output: LocalizerOutput, batch: Batch) -> Columns:
        """The logits of each image's class, the true or the predicted one."""
        if self.columns is None:
            return output.logits.argmax(dim=1, keepdim=True).tolist()
        labels = batch.labels.tolist()
        if min(labels) < 0:
            raise UserError(
                f"{batch.image_ids[labels.index(min(labels))]}: has no label, and {self.source} is the "
                f"map of the true class; choose --maps {PREDICTED}, attention or features"
            )
        return [self.columns[label] for label in labels]


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
    if lacking := lacking_classes(model_keys, class_keys, groups):
        raise UserError(
            f"the model lacks {len(lacking)} of the data set's {len(class_keys)} classes, "
            f"e.g. {lacking[0]!r}: say in evaluation.classes which of the model's stand for it"
        )
    return [[column[name] for name in groups.get(key, [key])] for key in class_keys]


def lacking_classes(
    model_keys: Sequence[str], class_keys: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> list[str]:
    """The classes of the data set that neither are the model's nor stand for some of the model's."""
    known = set(model_keys)
    wanted = {key: groups.get(key, [key]) for key in class_keys}
    return [key for key, own in wanted.items() if not own or not known.issuperset(own)]
