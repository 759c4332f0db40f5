"""The verb ``evaluate``: a model's maps, scored on its data set or on another, one record a source."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import torch.distributed as distributed

from wsol.data.loading.loader import Batch, eval_loader
from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.data.manifest.queries import scored_split
from wsol.errors import UserError
from wsol.evaluation.evaluator import Evaluation, collect_each
from wsol.evaluation.readings import Reading
from wsol.evaluation.readings.faithfulness import Faithfulness as FaithfulnessReading
from wsol.maps.classes import lacking_classes
from wsol.maps.clock import Clock
from wsol.maps.faithfulness.areas import Faithfulness
from wsol.maps.model_sources import expand, model_maps, passes
from wsol.maps.reading import MapReader
from wsol.pipeline.evaluate import ScoringJob, evaluate
from wsol.pipeline.fold_networks import scoring_parts
from wsol.pipeline.images_of_run import check_scores, own_manifest
from wsol.pipeline.model import Model
from wsol.pipeline.model_classes import with_classes
from wsol.pipeline.outputs.pictures import KeptPredictions, through
from wsol.pipeline.outputs.publish import MapsOrigin, Outputs, scored_what
from wsol.pipeline.outputs.steps import write_steps
from wsol.pipeline.training_set import check_drawn_for
from wsol.progress import is_first_rank
from wsol.recipe import EvaluationSettings, Recipe
from wsol.scores.merged_arrays import merged
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.samples import Prediction
from wsol.training.device import threads
from wsol.training.run_folder import RunFolder

# Of the training, kept in the record beside the scoring's own.
TRAINING_FACTS = (
    "git_commit",
    "versions",
    "device",
    "cpu",
    "threads",
    "processes",
    "started",
    "finished",
)


def evaluate_run(
    model: Model | Path | str,
    settings: EvaluationSettings | None = None,
    *,
    manifest: Manifest | Path | str | None = None,
    outputs: Outputs | None = None,
) -> dict[str, Evaluation]:
    """Score a model by each source of maps that the settings name; the evaluations made, by source.

    Args:
        model: a run folder, ``timm:NAME``, ``torchvision:NAME``, or an open model.
        settings: split, maps, protocol, thresholds; None takes the model's own recipe's.
        manifest: another data set than the one it was trained on; a pretrained classifier needs one.
        outputs: what is written where; nothing by default.

    Raises:
        UserError: no run there, a manifest that is not the one of the training, an unknown source,
            protocol or policy, a split without boxes and masks.
    """
    model = model if isinstance(model, Model) else Model.open(model)
    job = ModelJob(model, settings or model.recipe.evaluation, manifest)
    if manifest is not None:
        job.settings = with_classes(model, job.manifest, job.settings)
    outputs = outputs or Outputs()
    evaluations = evaluate(job, outputs)
    write_steps(job, evaluations, outputs)
    return evaluations


class ModelJob(ScoringJob):
    """The maps of a model on a manifest."""

    def __init__(
        self,
        model: Model,
        settings: EvaluationSettings,
        manifest: Manifest | Path | str | None = None,
    ) -> None:
        self.model, self.settings = model, settings
        # Settings first: a mistake in them should not wait for a model to load.
        _ = self.protocol, self.policy
        if not settings.maps:
            raise UserError("evaluation.maps is empty: name a source (wsol list maps)")
        passes(settings.maps)
        if manifest is None:
            self.manifest = own_manifest(model)
        else:
            self.manifest = manifest if isinstance(manifest, Manifest) else Manifest.read(manifest)
            check_drawn_for(self.manifest, model.facts.get("drawn", {}), model.name)
        self.sources = expand(settings.maps, model.localizer)
        self.clocks: dict[str, Clock] = {}
        self.asking: dict[str, Clock] = {}

    @property
    def recipe(self) -> Recipe:
        """The model's recipe, scored by these settings."""
        return dataclasses.replace(self.model.recipe, evaluation=self.settings)

    def origin(self, source: str) -> MapsOrigin:
        """The recipe, how it was trained, what it costs."""
        model, recipe = self.model, self.recipe
        cost = model.cost()
        if source in self.clocks:
            clock = self.clocks[source]
            cost |= {"images_per_second": clock.images_per_second, "ms_per_image": clock.ms_per_image}
        if source in self.asking:
            cost["faithfulness_images_per_second"] = self.asking[source].images_per_second
        loaded = {"pretrained_sha256": model.pretrained_sha256} if model.pretrained_sha256 else {}
        return MapsOrigin(
            name=row_name(recipe),
            what=scored_what(recipe, model.facts.get("manifest_hash", ""), self.manifest.hash),
            maps=source,
            how={
                **recipe.how_part(),
                **bound_of(recipe),
                "threads": model.threads_used,
                **loaded,
                **model_maps(source).described(),
                "starts_as_identity": model.localizer.starts_as_identity,
                "training": {key: model.facts.get(key) for key in TRAINING_FACTS},
            },
            seeds={"training": recipe.seed},
            cost=cost,
        )

    def passes(self, sources: Sequence[str]) -> list[list[str]]:
        """``sources`` by forward pass."""
        return passes(sources)

    def wait(self) -> None:
        """Until all processes are here."""
        self.model.fabric.barrier()

    def without_faithfulness(self, source: str) -> str:
        """Why: it gives boxes, or nobody knows which of the model's classes is the true one."""
        if model_maps(source).gives_boxes:
            return "it gives boxes, which rank no pixels"
        keys, known = self.manifest.class_keys, self.model.class_keys
        if known and lacking_classes(known, keys, self.settings.classes):
            return "the model lacks classes of the data set"
        return ""

    def readings(self, split: ManifestSplit, protocol: Protocol) -> list[Reading]:
        """What else is read of ``split``: what its annotations allow, and the areas that are wanted."""
        wanted = [FaithfulnessReading()] if self._asks(split) else []
        return [*super().readings(split, protocol), *wanted]

    def _asks(self, split: ManifestSplit) -> bool:
        """Whether deletion and insertion are measured: of all of the scored split.

        No threshold from val needs them, and no picture of some images.
        """
        if not self.settings.faithfulness or split.name != self.settings.split:
            return False
        return len(split) == len(scored_split(self.manifest, split.name))

    def arrays(
        self,
        split: ManifestSplit,
        sources: Sequence[str],
        protocol: Protocol,
        kept: Mapping[str, KeptPredictions],
    ) -> dict[str, PerImage]:
        """Per-image arrays of a split by source, all from one pass; the processes' shares merged."""
        check_scores(self.model, split)
        fabric = self.model.fabric
        rank, world_size = fabric.global_rank, fabric.world_size
        annotations = split.annotations()
        parts = self._parts(split)
        own = {image_id for part, _ in parts for image_id in part.image_ids[rank::world_size]}
        share = {image_id: found for image_id, found in annotations.items() if image_id in own}
        clocks = {source: Clock() for source in sources}
        asked = Faithfulness(protocol.interpolation) if self._asks(split) else None
        stream = chain.from_iterable(self._pairs(*part, clocks, asked) for part in parts)
        with threads(self.model.threads):
            arrays = collect_each(
                through(stream, kept) if kept else stream,
                sources,
                share,
                protocol,
                # A share does not see what the other images have.
                pixels=self.scores_masks(split),
                readings=self.readings(split, protocol),
                progress=", ".join(sources),
            )
        self.clocks |= clocks
        if asked is not None:
            self.asking |= dict.fromkeys(sources, asked.clock)
        if world_size == 1:
            return arrays
        shares: list[Any] = [None] * world_size
        distributed.all_gather_object(shares, arrays)
        _gather_wanted(kept, world_size)
        return {source: merged([one[source] for one in shares], split.image_ids) for source in sources}

    def _parts(self, split: ManifestSplit) -> list[tuple[ManifestSplit, RunFolder | None]]:
        """Images, and where the weights lie that may score them; None: they are loaded already."""
        folder = self.model.folder
        if folder is None or not self.recipe.training.folds:
            return [(split, None)]
        asked = set(split.image_ids)  # some images of a split, where only their pictures are wanted
        parts = [
            (part.images.only(asked), part.folder) for part in scoring_parts(self.recipe, split, folder)
        ]
        return [(images, weights) for images, weights in parts if len(images)]

    def _pairs(
        self,
        images: ManifestSplit,
        weights: RunFolder | None,
        clocks: Mapping[str, Clock],
        asked: Faithfulness | None,
    ) -> Iterator[tuple[str, Prediction]]:
        """This process's share of a part's images, by the network that may score them.

        ``clocks`` are those of the sources that are read.
        """
        model, recipe = self.model, self.recipe
        if weights is not None:
            weights.load_weights(model.localizer, recipe.training.selection)
        reader = MapReader(model.localizer, images.class_keys, recipe.evaluation.classes, images)
        return reader.pairs(self.batches(images), list(clocks), clocks, asked)

    def batches(self, images: ManifestSplit) -> Iterable[Batch]:
        """This process's batches of the images, after the weights that may score them were loaded."""
        fabric = self.model.fabric
        return eval_loader(images, self.recipe, rank=fabric.global_rank, world_size=fabric.world_size)


def _gather_wanted(kept: Mapping[str, KeptPredictions], world_size: int) -> None:
    """Every process gets what the others hold of the images that are drawn."""
    for one in kept.values():
        own = {key: found for key, found in one.predictions.items() if key in one.wanted}
        shares: list[Any] = [None] * world_size
        distributed.all_gather_object(shares, own)
        if is_first_rank():  # which draws; masks are written by whoever holds the map
            for share in shares:
                one.predictions |= share


def bound_of(recipe: Recipe) -> dict[str, str]:
    """What a record says of a row that more than image labels have trained; nothing of the others."""
    count = recipe.training.boxed_images
    told = f"boxes of {count} images a class of val"
    return {"bound": told, "extra_supervision": recipe.extra_supervision or told} if count else {}


def row_name(recipe: Recipe) -> str:
    """What a person calls the row: backbone, attention, method, seed; begins file names."""
    attention = "" if recipe.attention.name == "none" else recipe.attention.name.split(":")[-1]
    parts = (recipe.backbone.name, attention, recipe.method.name, f"seed{recipe.seed}")
    return "-".join(part.replace("/", "-").replace(":", "-") for part in parts if part)
