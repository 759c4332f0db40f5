"""One forward pass a batch of images -> one score map an image and source."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch

from wsol.errors import UserError
from wsol.maps.classes import class_columns, lacking_classes
from wsol.maps.clock import Clock
from wsol.maps.contract import ModelMaps
from wsol.maps.faithfulness.areas import AskedNetwork, Faithfulness
from wsol.maps.model_sources import expand, model_maps, passes
from wsol.maps.view import View
from wsol.models.localizer import Localizer
from wsol.scores.samples import Prediction

if TYPE_CHECKING:
    from wsol.data.loading.loader import Batch
    from wsol.data.manifest.manifest import ManifestSplit


class MapReader:
    """Reads a localizer's score maps for the classes of a data set.

    Args:
        localizer: is put into evaluation mode, and read on the device where its weights are.
        class_keys: the data set's classes: the model may know more (a 1000-way network on ten). Top-5
            classes that the data set lacks become -1; where its classes are not the model's, there is no
            top-5. None where nothing is known of the images: every source shows the predicted class, and
            top-5 are the model's own labels.
        groups: which of the model's classes stand for one of the data set's.
        images: what is read, for sources that need to know it beforehand.
    """

    def __init__(
        self,
        localizer: Localizer,
        class_keys: Sequence[str] | None,
        groups: Mapping[str, Sequence[str]] | None = None,
        images: ManifestSplit | None = None,
    ) -> None:
        self.localizer, self.class_keys, self.groups = localizer, class_keys, groups or {}
        self.images = images

    def predictions(self, batches: Iterable[Batch], source: str) -> Iterator[Prediction]:
        """Predictions by one source; see `pairs`."""
        return (prediction for _, prediction in self.pairs(batches, [source]))

    def pairs(
        self,
        batches: Iterable[Batch],
        sources: Sequence[str],
        clocks: Mapping[str, Clock] | None = None,
        faithfulness: Faithfulness | None = None,
    ) -> Iterator[tuple[str, Prediction]]:
        """Pairs (source, prediction), in the order of ``batches``; one forward pass serves all sources.

        Which sources may share a pass, `passes` says. ``clocks``, one a source, count images and the
        seconds from the batch on the device to its maps in memory. With ``faithfulness`` the network is
        asked for the deletion and insertion areas of each map besides, where it is a map and the model
        has the data set's classes; that has a clock of its own.

        ``UserError`` for an unknown source, a class that the model lacks, and where the map of the true
        class is asked for and an image has no label (-1).
        """
        if len(passes(sources)) > 1:
            raise UserError(f"map sources {', '.join(sources)} cannot be read from one forward pass")
        views = [self._view(model_maps(source).resolved(self.localizer), source) for source in sources]
        device = next(self.localizer.parameters()).device
        self.localizer.eval()
        gradients = any(view.source.gradients for view in views)
        asked = self._asked(faithfulness)
        with ExitStack() as states, torch.enable_grad() if gradients else torch.inference_mode():
            for view in views:
                states.enter_context(view.source.ready(self.localizer))
            for batch in batches:
                images = batch.images.to(device, non_blocking=True)
                if gradients:
                    # Where the network is frozen, nothing else would begin a graph. The batch's own
                    # images stay as they are.
                    images = images.detach().requires_grad_()
                started = time.perf_counter()
                for view in views:
                    view.source.see(images, batch.image_ids)
                output = self.localizer(images)
                ends = [_now(device)]
                maps = []
                for view in views:
                    maps.append(view.maps(output, batch))
                    ends.append(time.perf_counter())
                _count(clocks or {}, views, len(images), started, ends)
                areas = _areas(asked, images, batch, views, maps)
                yield from _pairs(batch, views, output.logits, maps, areas)

    def _asked(self, faithfulness: Faithfulness | None) -> AskedNetwork | None:
        """The network as it is now, to be asked; None where they are not wanted or no class is known."""
        keys, model_keys = self.class_keys, self.localizer.class_keys
        if faithfulness is None or keys is None:
            return None
        if model_keys and lacking_classes(model_keys, keys, self.groups):
            return None
        columns = class_columns(model_keys, keys, self.groups)
        return AskedNetwork(self.localizer, columns, faithfulness)

    def _view(self, source: ModelMaps, name: str) -> View:
        if self.images is not None:
            source.of_images(self.images)
        model_keys = self.localizer.class_keys
        if self.class_keys is None:
            return View(source, name, None, {label: [label] for label in range(len(model_keys))})
        of_true_class = source.of_class == "true"
        if not of_true_class and lacking_classes(model_keys, self.class_keys, self.groups):
            return View(source, name, None, {})
        columns = class_columns(model_keys, self.class_keys, self.groups)
        labels_of: dict[int, list[int]] = {}
        for label, own in enumerate(columns):
            for column in own:
                labels_of.setdefault(column, []).append(label)
        return View(source, name, columns if of_true_class else None, labels_of)


def check_sources(localizer: Localizer, sources: Sequence[str], images: ManifestSplit) -> None:
    """Read each source and the default map from a blank image; ``UserError`` where one fails.

    ``images`` are some that will be read.
    """
    from wsol.data.loading.loader import Batch

    localizer.default_map  # noqa: B018  # A module may name a map that it does not show.
    side = localizer.input_size
    blank = Batch(
        torch.zeros(1, 3, side, side),
        torch.zeros(1, dtype=torch.long),
        images.image_ids[:1],
        torch.zeros(1),
        1,
    )
    reader = MapReader(localizer, localizer.class_keys, images=images)
    for together in passes(expand(sources, localizer)):
        for _ in reader.pairs([blank], together):
            pass


def _now(device: torch.device) -> float:
    """When the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _count(
    clocks: Mapping[str, Clock],
    views: Sequence[View],
    images: int,
    started: float,
    ends: Sequence[float],
) -> None:
    """Add a batch to each view's clock; ``ends`` are those of the pass and of each view's reading."""
    for view, (before, after) in zip(views, pairwise(ends), strict=True):
        if view.name in clocks:
            own = ends[0] - started + after - before
            clocks[view.name].count(images, ends[-1] - started, own)


def _areas(
    asked: AskedNetwork | None,
    images: torch.Tensor,
    batch: Batch,
    views: Sequence[View],
    maps: Sequence[np.ndarray],
) -> Sequence[Sequence[Mapping[str, float]]]:
    """Deletion and insertion areas by source and image, by key; none of boxes, none unless asked."""
    if asked is None:
        return [[{}] * len(images)] * len(views)
    pairs = zip(views, maps, strict=True)
    rankable = [None if view.source.gives_boxes else own for view, own in pairs]
    return asked.areas(images, batch.labels.tolist(), batch.image_ids, rankable)


def _pairs(
    batch: Batch,
    views: Sequence[View],
    logits: torch.Tensor,
    maps: Sequence[np.ndarray],
    areas: Sequence[Sequence[Mapping[str, float]]],
) -> Iterator[tuple[str, Prediction]]:
    best = logits.topk(min(5, logits.shape[1]), dim=1).indices
    probabilities = logits.detach().float().softmax(dim=1).gather(1, best).tolist()
    top5 = best.tolist()
    for index in range(batch.real):
        for view, own, of_view in zip(views, maps, areas, strict=True):
            classes = view.classes(top5[index], int(batch.labels[index]))
            prediction = Prediction(
                image_id=batch.image_ids[index],
                label=int(batch.labels[index]),
                top5=classes,
                probabilities=tuple(probabilities[index]) if classes else (),
                faithfulness=of_view[index],
                # A copy: a view would keep the whole batch alive while maps wait.
                **{view.kind: np.array(own[index], dtype=np.float32)},
            )
            yield view.name, prediction
