"""A trained run, open for scoring: its network over the images of a split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch.distributed as distributed

from wsol.data.loading.loader import eval_loader
from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.data.splits.folds import FOLDED
from wsol.errors import UserError
from wsol.evaluation.evaluator import collect_each
from wsol.maps.source import Clock, predictions_of
from wsol.methods.build import trained_localizer
from wsol.models.localizer import Localizer
from wsol.pipeline.fold_networks import Part, scoring_parts
from wsol.pipeline.inputs import open_manifest
from wsol.pipeline.pictures import KeptPredictions, through
from wsol.recipe import How, Recipe
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.records import Prediction
from wsol.training.device import launch
from wsol.training.run_folder import RunFolder

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass
class Run:
    """A finished run. Its data set and its network are read when they are first asked for."""

    recipe: Recipe
    folder: RunFolder
    facts: dict[str, Any]
    fabric: Fabric
    data: Path | str | None = None

    @classmethod
    def open(cls, path: Path | str, how: How | None = None, manifest: Path | str | None = None) -> Run:
        """Open a run folder; ``UserError`` where it is none, or its training has not finished.

        ``manifest`` is another data set to score it on, of classes it knows.
        """
        folder = RunFolder(path)
        recipe, facts = folder.recipe(), folder.facts()
        if how is not None:
            recipe.how = how
        return cls(recipe, folder, facts, launch(recipe.how.device, "32-true"), manifest)

    @cached_property
    def manifest(self) -> Manifest:
        """The data set to score on; ``UserError`` where it is the run's own and has changed."""
        if self.data is not None:
            return Manifest.read(self.data)
        manifest = open_manifest(self.recipe)
        if manifest.hash != self.facts["manifest_hash"]:
            raise UserError(
                f"{manifest.folder}: not the manifest that {self.folder.path} was trained on (its hash "
                "differs); name it with --manifest to score the run on another data set"
            )
        return manifest

    @cached_property
    def localizer(self) -> Localizer:
        """The trained network on its device; of a cross-fitted run, not yet any fold's."""
        training = self.recipe.training
        localizer = trained_localizer(self.recipe, self.facts["class_keys"])
        if not training.folds:
            self.folder.load_weights(localizer, training.selection if training.epochs else "last")
        return localizer.to(self.fabric.device)

    def check_scores(self, split: ManifestSplit) -> None:
        """``UserError`` where a cross-fitted run has no network that may be scored on ``split``."""
        own = split.name == FOLDED and split.manifest.hash == self.facts["manifest_hash"]
        if self.recipe.training.folds and not own:
            raise UserError(
                f"{self.folder.path}: cross-fitted (training.folds), so it only scores the {FOLDED} "
                "images it was trained for; for others, or for val, train a run without folds"
            )

    def arrays(
        self,
        split: ManifestSplit,
        sources: Sequence[str],
        rules: Protocol,
        kept: Mapping[str, KeptPredictions] | None = None,
    ) -> tuple[dict[str, PerImage], Clock]:
        """Per-image arrays of a split by source, all from one pass; the processes' shares merged."""
        self.check_scores(split)
        rank, world_size = self.fabric.global_rank, self.fabric.world_size
        annotations = split.annotations()
        parts = scoring_parts(self.recipe, split, self.folder)
        own = {image_id for part in parts for image_id in part.images.image_ids[rank::world_size]}
        share = {image_id: found for image_id, found in annotations.items() if image_id in own}
        clock = Clock()
        stream: Iterator[tuple[str, Prediction]] = chain.from_iterable(
            self._predictions(part, sources, clock) for part in parts
        )
        arrays = collect_each(
            through(stream, kept) if kept else stream,
            sources,
            share,
            rules,
            # A share does not see whether other images have masks.
            pixels=self.recipe.evaluation.masks
            and any(annotation.masks for annotation in annotations.values()),
            progress=", ".join(sources),
        )
        if world_size == 1:
            return arrays, clock
        shares: list[Any] = [None] * world_size
        distributed.all_gather_object(shares, arrays)
        merged = {
            source: PerImage.merge([one[source] for one in shares], split.image_ids)
            for source in sources
        }
        return merged, clock

    def _predictions(
        self, part: Part, sources: Sequence[str], clock: Clock
    ) -> Iterator[tuple[str, Prediction]]:
        """This process's share of a part's images, by the network that may score them."""
        if self.recipe.training.folds:
            part.folder.load_weights(self.localizer, self.recipe.training.selection)
        rank, world_size = self.fabric.global_rank, self.fabric.world_size
        yield from predictions_of(
            self.localizer,
            eval_loader(part.images, self.recipe, rank=rank, world_size=world_size),
            sources,
            part.images.class_keys,
            self.fabric.device,
            clock,
            self.recipe.evaluation.classes,
        )
