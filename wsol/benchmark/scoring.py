"""The verb ``evaluate`` for a trained run: its maps through the evaluator, one record a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch.distributed as distributed

from wsol.benchmark.gallery import Kept, through
from wsol.benchmark.parts import Part, scoring_parts
from wsol.benchmark.preparing import open_manifest
from wsol.benchmark.provenance import now
from wsol.benchmark.records import Subject, find_record, identity, publish
from wsol.data.folds import FOLDED
from wsol.data.loader import eval_loader
from wsol.data.manifest import Manifest, ManifestSplit
from wsol.errors import UserError
from wsol.evaluation.evaluator import Evaluation, collect_each, score
from wsol.evaluation.per_image import PerImage
from wsol.evaluation.protocol import Protocol, ThresholdPolicy, protocol
from wsol.maps.readers import passes, resolve
from wsol.maps.source import Clock, predictions_of
from wsol.models.factory import build_localizer
from wsol.models.localizer import Localizer
from wsol.recipe import Evaluation as Settings
from wsol.recipe import How, Recipe
from wsol.records import Prediction
from wsol.training.device import device_name, launch
from wsol.training.run_folder import RunFolder

# Of the training, kept in the record beside the scoring's own.
TRAINING_FACTS = ("git_commit", "versions", "device", "processes", "started", "finished")

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass
class Run:
    """A trained run, open for scoring."""

    recipe: Recipe
    manifest: Manifest
    localizer: Localizer
    folder: RunFolder
    facts: dict[str, Any]
    fabric: Fabric

    @classmethod
    def open(cls, path: Path | str, how: How | None = None, manifest: Path | str | None = None) -> Run:
        """Load a finished run; ``UserError`` where it is none, or its data set has changed.

        ``manifest`` is another data set to score it on, of classes it knows.
        """
        folder = RunFolder(path)
        recipe, facts = folder.recipe(), folder.facts()
        if how is not None:
            recipe.how = how
        data = Manifest.read(manifest) if manifest else open_manifest(recipe)
        if not manifest and data.hash != facts["manifest_hash"]:
            raise UserError(
                f"{data.folder}: not the manifest that {path} was trained on (its hash differs); "
                "name it with --manifest to score the run on another data set"
            )
        fabric = launch(recipe.how.device, "32-true")
        keys = facts["class_keys"]
        localizer = build_localizer(recipe, len(keys), keys, load_weights=False)
        selection = recipe.training.selection if recipe.training.epochs else "last"
        if not recipe.training.folds:
            folder.load_weights(localizer, selection)
        return cls(recipe, data, localizer.to(fabric.device), folder, facts, fabric)

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
        kept: Mapping[str, Kept] | None = None,
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


def score_run(
    path: Path | str,
    settings: Settings | None = None,
    how: How | None = None,
    *,
    manifest: Path | str | None = None,
    results: Path | str | None = None,
    output: Path | str | None = None,
    overlays: int = 0,
) -> dict[str, Evaluation]:
    """Score a run by each of ``settings.maps``; evaluations that are in ``results`` are not made again.

    Args:
        path: a run folder.
        settings: split, maps, protocol, thresholds; None takes the run's own recipe's.
        manifest: another data set than the one it was trained on.
        results: append a record to ``results/runs``.
        output: write metrics, per-image table and pictures there; several sources, a folder each.
        overlays: pictures a source.
    """
    # Settings first: a mistake in them should not wait for a model to load.
    settings = settings or RunFolder(path).recipe().evaluation
    rules = protocol(settings.protocol, settings.step)
    policy = rules.policy_named(settings.thresholds)
    if not settings.maps:
        raise UserError("evaluation.maps is empty: name a source (wsol list maps)")
    run = Run.open(path, how, manifest)
    run.recipe.evaluation = settings
    split = run.manifest.split(settings.split)
    if not split.annotated:
        raise UserError(f"{run.manifest.folder}: split {split.name!r} has no boxes or masks to score")
    sources = list(dict.fromkeys(resolve(source, run.localizer) for source in settings.maps))
    subjects = {source: _subject(run, source) for source in sources}
    missing = [
        source
        for source, subject in subjects.items()
        if not (results and find_record(results, identity(subject, split, rules, policy)))
    ]
    evaluations: dict[str, Evaluation] = {}
    for together in passes(missing):
        started = now()
        kept = {source: Kept(split, overlays) for source in together}
        for source, evaluation in _score(run, subjects, split, rules, policy, kept).items():
            evaluations[source] = evaluation
            if run.fabric.is_global_zero:
                publish(
                    subjects[source],
                    split,
                    rules,
                    evaluation,
                    kept[source],
                    started,
                    results=results,
                    output=_output(output, source, len(sources)),
                )
    run.fabric.barrier()
    return {source: evaluations[source] for source in sources if source in evaluations}


def _output(output: Path | str | None, source: str, sources: int) -> Path | None:
    """The folder of one source: a folder of its own where there are several."""
    if output is None:
        return None
    return Path(output, source.replace(":", "-")) if sources > 1 else Path(output)


def _score(
    run: Run,
    subjects: Mapping[str, Subject],
    split: ManifestSplit,
    rules: Protocol,
    policy: ThresholdPolicy,
    kept: Mapping[str, Kept],
) -> dict[str, Evaluation]:
    """The evaluations of sources that share a forward pass, those of ``kept``."""
    sources = list(kept)
    val: dict[str, PerImage] = {}
    if policy.name == "val":
        held_out = run.manifest.split("val")
        if not held_out.annotated:
            raise UserError(f"{run.manifest.folder}: val has no boxes or masks to choose thresholds on")
        val, _ = run.arrays(held_out, sources, rules)
    arrays, clock = run.arrays(split, sources, rules, kept)
    for source in sources:
        subjects[source].cost["images_per_second"] = clock.images_per_second
    return {
        source: score(
            arrays[source], rules, policy=policy, val=val.get(source), classes=split.class_keys
        )
        for source in sources
    }


def _subject(run: Run, maps: str) -> Subject:
    recipe = run.recipe
    attention = "" if recipe.attention.name == "none" else recipe.attention.name.split(":")[-1]
    parts = (recipe.backbone.name, attention, recipe.method.name, f"seed{recipe.seed}")
    return Subject(
        name="-".join(part.replace("/", "-") for part in parts if part),
        what=recipe.what(),
        maps=maps,
        how={
            **recipe.how_part(),
            "starts_as_identity": run.localizer.starts_as_identity,
            "training": {key: run.facts.get(key) for key in TRAINING_FACTS},
        },
        seeds={"training": recipe.seed},
        cost={
            **run.facts["cost"],
            "device": device_name(run.fabric.device),
            "train_images_per_second": run.facts["train_images_per_second"],
        },
    )
