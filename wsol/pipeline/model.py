"""A network that localizes: a finished run, or a pretrained classifier of timm or torchvision."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from wsol.data.loading.loader import Batch
from wsol.data.loading.transforms import Normalise, squash
from wsol.errors import UserError
from wsol.evaluation.in_memory.localization import CAM_THRESHOLD, Localization, found_in
from wsol.files.pictures.pixel_sources import PixelSource, as_image
from wsol.maps.reading import MapReader
from wsol.methods.build import trained_localizer
from wsol.models.cost import cost
from wsol.models.factory import build_localizer
from wsol.models.localizer import Localizer
from wsol.models.weights.class_keys import class_names
from wsol.models.weights.pretrained import is_pretrained, pretrained_recipe
from wsol.pipeline.foreign_code import check_trusted
from wsol.recipe import How, Recipe
from wsol.scores.samples import Prediction
from wsol.training.device import device_name, launch, threads
from wsol.training.run_folder import RunFolder

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def load(
    source: Path | str,
    *,
    weights: Path | str | None = None,
    device: str = "auto",
    workers: int = 0,
    threads: int | None = None,
    trust: bool = False,
) -> Model:
    """Open a model that localizes.

    Images that are given to it are paths, PIL images, arrays (height, width, 3) or tensors
    (3, height, width); arrays and tensors are uint8, or floats in [0, 1], before any normalisation.

    Args:
        source: a run folder; ``timm:NAME`` (``timm:resnet50``, ``timm:resnet50.tv_in1k``) or
            ``torchvision:NAME`` (``torchvision:vgg16``): a pretrained classifier, without any training,
            with the preprocessing and the class names of its library.
        weights: a file of a pretrained classifier's weights, ``.safetensors`` or ``.pth``; without it
            the library loads, and may download, its own.
        device: ``auto``, ``cpu`` or ``cuda``.
        workers: processes that load images where data sets are scored.
        threads: that torch computes with on a CPU, 1 or more; None: as many as it is set to.
        trust: import the code that the run's recipe names (``package.module:Name``), and so run it.

    Raises:
        UserError: no run there or an unfinished one, an unknown network, weights of another network;
            a run that names code from outside wsol, without ``trust``.

    Examples:
        >>> import wsol
        >>> model = wsol.load("torchvision:squeezenet1_1")           # doctest: +SKIP
        >>> found = model.localize("photo.jpg")                      # doctest: +SKIP
        >>> found.class_name, found.box                              # doctest: +SKIP
        ('tench', array([ 69.,  25., 224., 215.]))
    """
    if not isinstance(source, str | Path):
        raise UserError(f"load {source!r}: give a run folder, timm:NAME or torchvision:NAME")
    how = How(device=device, workers=workers, threads=1 if threads is None else threads)
    model = Model.open(source, how, weights, trust=trust)
    model.threads = threads
    return model


class Model:
    """A network that localizes; `wsol.load` opens one.

    Attributes:
        name: what it was opened by.
        recipe: what it is made of.
        folder: its run folder; None for a pretrained classifier.
        facts: of a run, what its ``run.json`` says: class keys, cost, training.
        fabric: device and processes.
        threads: that torch computes with on a CPU while the model is read; None: as it is set.
    """

    def __init__(
        self, name: str, recipe: Recipe, fabric: Fabric, folder: RunFolder | None = None
    ) -> None:
        self.name, self.recipe, self.fabric, self.folder = name, recipe, fabric, folder
        self.facts: dict[str, Any] = folder.facts() if folder is not None else {}
        self.threads: int | None = recipe.how.threads

    def __repr__(self) -> str:
        recipe = self.recipe
        parts = [
            recipe.backbone.name,
            f"attention {recipe.attention.label}",
            f"method {recipe.method.label}",
        ]
        return f"<Model {self.name!r}: {', '.join(parts)}, {self.fabric.device.type}>"

    @classmethod
    def open(
        cls,
        source: Path | str,
        how: How | None = None,
        weights: Path | str | None = None,
        *,
        recipe: Recipe | None = None,
        trust: bool | Collection[str] = False,
    ) -> Model:
        """Open a run folder, ``timm:NAME`` or ``torchvision:NAME``.

        Args:
            how: device, threads and workers; None takes the run's own.
            weights: a file of a pretrained network's weights; without it the library loads, and may
                download, its own.
            recipe: what the caller has trained the run by; the folder's own is not read then.
            trust: whether the code that the folder's recipe names may be imported, and so run; or the
                names that the caller has given itself.

        Raises:
            UserError: the folder is no run, or its training has not finished; its recipe names code from
                outside wsol that is not trusted.
        """
        name = str(source)
        if is_pretrained(name):
            recipe, folder = pretrained_recipe(name, weights), None
        else:
            folder = RunFolder(source)
            if not folder.path.is_dir():
                raise UserError(
                    f"{source}: no such run folder; a pretrained network is named timm:NAME or "
                    "torchvision:NAME"
                )
            if recipe is None:
                recipe = folder.recipe()
                check_trusted(recipe, folder.path, trust)
            folder.facts()  # an unfinished run is refused before anything heavy begins
        if how is not None:
            here = dataclasses.replace(
                recipe.how, device=how.device, threads=how.threads, workers=how.workers
            )
            recipe = dataclasses.replace(recipe, how=here)
        return cls(name, recipe, launch(recipe.how.device, "32-true"), folder)

    @cached_property
    def localizer(self) -> Localizer:
        """The network on its device, in evaluation mode; of a cross-fitted run, not yet any fold's."""
        training = self.recipe.training
        if self.folder is None:
            localizer = build_localizer(self.recipe, 0)
        else:
            localizer = trained_localizer(self.recipe, self.facts["class_keys"])
            if not training.folds:
                self.folder.load_weights(localizer, training.selection if training.epochs else "last")
        return localizer.to(self.fabric.device).eval()

    @property
    def class_keys(self) -> list[str]:
        """The keys of the classes, in the order of the logits."""
        return list(self.facts["class_keys"]) if self.folder is not None else self.localizer.class_keys

    @cached_property
    def class_names(self) -> list[str]:
        """What people call the classes, in the order of the logits."""
        return class_names(self.class_keys)

    @property
    def default_map(self) -> str:
        """The source of maps where none is named: the first of the recipe's."""
        return self.recipe.evaluation.maps[0]

    @property
    def threads_used(self) -> int:
        """As many threads as torch computes with while the model is read."""
        return self.threads or torch.get_num_threads()

    @property
    def pretrained_sha256(self) -> str:
        """Of the pretrained weights it has or began with, see `Localizer`; empty where unknown."""
        if self.folder is None:
            return self.localizer.pretrained_sha256
        return self.facts.get("pretrained_sha256", "")

    def cost(self) -> dict[str, Any]:
        """Parameters, FLOPs and map size; of a run also how fast it trained."""
        if self.folder is None:
            trained: dict[str, Any] = cost(self.localizer, self.recipe.data.input_size)
        else:
            rate = self.facts.get("train_images_per_second")
            trained = {**self.facts["cost"], "train_images_per_second": rate}
        return {**trained, "device": device_name(self.fabric.device, self.threads_used)}

    def maps(self, images: PixelSource | Sequence[PixelSource], source: str = "") -> list[np.ndarray]:
        """Score maps (h, w) float32 of the predicted class, one an image.

        Args:
            images: one image or several: paths, PIL images, or arrays and tensors as `wsol.load` says.
            source: of the maps, ``cam`` or any that ``wsol list maps`` names; the model's own by
                default.

        Raises:
            UserError: a file that is no image, an unknown source.
        """
        with threads(self.threads):
            stream = self._predictions(_listed(images), source)
            return [np.asarray(prediction.score_map) for prediction in stream]

    def localize(
        self, image: PixelSource, threshold: float = CAM_THRESHOLD, source: str = ""
    ) -> Localization:
        """Box, mask and class of the object in one image.

        Args:
            image: a path, a PIL image, an array or a tensor as `wsol.load` says.
            threshold: of the score map, in [0, 1); 0.2 is the CAM paper's.
            source: of the map, as in `maps`.
        """
        picture = as_image(image)
        with threads(self.threads):
            (prediction,) = self._predictions([picture], source)
        return found_in(prediction, (picture.height, picture.width), threshold, self.class_names)

    def _predictions(self, images: Iterable[PixelSource], source: str) -> Iterator[Prediction]:
        """One prediction an image, of the predicted class."""
        if self.recipe.training.folds:
            raise UserError(
                f"{self.name}: cross-fitted (training.folds): each of its networks may only see the "
                "images of one fold; train a run without folds to localize other images"
            )
        batches = (self._batch(image) for image in images)
        return MapReader(self.localizer, None).predictions(batches, source or self.default_map)

    def _batch(self, image: PixelSource) -> Batch:
        """One image as a batch, preprocessed as the weights want it."""
        pixels = squash(as_image(image), self.recipe.data.input_size)
        normalise = Normalise(self.recipe.weights.mean, self.recipe.weights.std)
        tensor = normalise(pixels)[None]
        return Batch(tensor, torch.zeros(1, dtype=torch.long), [""], torch.zeros(1), 1)


def _listed(images: PixelSource | Sequence[PixelSource]) -> Iterable[PixelSource]:
    single = isinstance(images, str | Path) or not isinstance(images, list | tuple)
    if single and getattr(images, "ndim", 3) == 4:
        return list(images)  # type: ignore[arg-type]
    return [images] if single else images  # type: ignore[list-item, return-value]
