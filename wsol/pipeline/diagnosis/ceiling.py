"""What no image label can give: networks beside which the rows of a diagnosis are read.

The ceiling is the network of every row, trained on the same images at the same budget, but with the
masks of the objects: how far weak supervision is from supervision at this map size. It is a bound and is
never ranked. The untrained network is the floor: what the layout of the network alone shows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.nn import functional

from wsol.data.digits.drawing import draw
from wsol.data.digits.material import glyphs, textures
from wsol.data.digits.tests import digits_set, with_training
from wsol.data.layouts.digits import OF_OBJECT, scene_of
from wsol.data.loading.loader import Batch, eval_loader, train_loader
from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.data.manifest.validation import TRAINED
from wsol.maps import of_predicted_class
from wsol.maps.reading import MapReader
from wsol.models.factory import build_localizer
from wsol.models.localizer import Localizer
from wsol.pipeline.digits_recipes import digits_recipe, on_this_machine
from wsol.progress import say
from wsol.recipe import AttentionSettings, How, MethodSettings, Recipe
from wsol.scores.samples import Prediction
from wsol.training.device import launch
from wsol.training.optimizer import build_optimizer, rate_factor, set_rates


def training_masks(manifest: Manifest) -> np.ndarray:
    """The objects of the training images, (n, side, side) bool, drawn anew: the manifest has no masks.

    The images that come with them are the manifest's own, pixel for pixel.
    """
    drawn_by = manifest.drawn
    digits = digits_set(drawn_by["test"], **drawn_by["options"])
    if digits.training != drawn_by["training"]:
        digits = with_training(digits)
    count, size, seed = manifest.splits[TRAINED], drawn_by["size"], drawn_by["seed"]
    scene, draws = scene_of(digits, TRAINED, count, size, seed)
    own = [code for code, name in scene.part_names.items() if name in OF_OBJECT]
    several = draw(scene, glyphs(seed, TRAINED), textures(), size, draws)
    return np.concatenate([np.isin(drawn.parts, own) for drawn in several])


def recipe_of(manifest: Manifest, *, epochs: int | None = None, seed: int = 0) -> Recipe:
    """CAM's own recipe on the training set of ``manifest``."""
    recipe = on_this_machine(
        digits_recipe(AttentionSettings(), MethodSettings(), manifest.folder, How())
    )
    changed = {} if epochs is None else {"epochs": epochs}
    return recipe.changed(seed=seed, training=changed)


def untrained(recipe: Recipe, class_keys: list[str]) -> Localizer:
    """The network as ``recipe.seed`` draws it."""
    torch.manual_seed(recipe.seed)
    return build_localizer(recipe, len(class_keys), class_keys)


def train_ceiling(recipe: Recipe, manifest: Manifest) -> Localizer:
    """The network of ``recipe``, trained with masks in place of labels.

    The class map of an image's class learns the share of each cell that the object covers, all others
    learn zero: binary cross-entropy, weighted alike in every cell and class.
    """
    fabric = launch(recipe.how.device, recipe.training.precision)
    localizer, split = untrained(recipe, manifest.class_keys), manifest.split(TRAINED)
    if recipe.training.channels_last:
        localizer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = build_optimizer(localizer.parameter_groups(), recipe.training)
    network, optimizer = fabric.setup(localizer, optimizer)
    masks = torch.from_numpy(training_masks(manifest))
    for epoch in range(recipe.training.epochs):
        network.train()
        loader = train_loader(split, recipe, epoch=epoch)
        loss = torch.zeros(())
        for step, batch in enumerate(loader):
            set_rates(optimizer, rate_factor(recipe.training, epoch + step / len(loader)))
            loss = _step(fabric, network, optimizer, batch, masks)
        say(f"ceiling: epoch {epoch + 1} of {recipe.training.epochs}, loss {float(loss):.4f}")
    return localizer


def _step(
    fabric: Fabric,
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    masks: Tensor,
) -> Tensor:
    images = batch.images.to(fabric.device, memory_format=torch.channels_last)
    class_maps = network(images).class_maps.float()
    wanted = in_class_maps(masks[batch.indices], batch.labels, class_maps.shape).to(fabric.device)
    loss = functional.binary_cross_entropy_with_logits(class_maps, wanted)
    optimizer.zero_grad()
    fabric.backward(loss)
    optimizer.step()
    return loss.detach()


def in_class_maps(masks: Tensor, labels: Tensor, shape: torch.Size) -> Tensor:
    """Masks (N, H, W) bool as class maps of ``shape`` (N, K, h, w).

    The map of an image's label has the share of each cell that its mask covers, the others zeros.
    """
    height, width = shape[-2:]
    shares = functional.adaptive_avg_pool2d(masks.float()[:, None], (height, width))
    wanted = torch.zeros(shape)
    wanted[torch.arange(len(labels)), labels] = shares[:, 0]
    return wanted


def network_predictions(
    localizer: Localizer, split: ManifestSplit, recipe: Recipe, *, shares: bool = False
) -> Iterator[Prediction]:
    """The class map of each image's class; of the predicted one where some images have none.

    Read by the true class in some images and by the predicted one in the others, whose map is the
    highest of all, even an untrained network would tell the two kinds apart.

    ``shares``: as what it was trained to say, the share of each cell, in [0, 1], and no logit of it.
    """
    reader = MapReader(localizer, split.class_keys, recipe.evaluation.classes, split)
    source = recipe.evaluation.maps[0]
    if (split.labels < 0).any():
        source = of_predicted_class(source)
    for prediction in reader.predictions(eval_loader(split, recipe), source):
        yield _as_shares(prediction) if shares else prediction


def _as_shares(prediction: Prediction) -> Prediction:
    assert prediction.score_map is not None
    return dataclasses.replace(prediction, score_map=1 / (1 + np.exp(-prediction.score_map)))
