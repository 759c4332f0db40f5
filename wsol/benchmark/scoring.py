"""The verb ``evaluate`` for a trained run: its maps through the evaluator, one record a source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch.distributed as distributed

from wsol.benchmark.gallery import Kept
from wsol.benchmark.parts import Part, scoring_parts
from wsol.benchmark.preparing import open_manifest
from wsol.benchmark.provenance import now
from wsol.benchmark.records import Subject, find_record, identity, publish
from wsol.data.folds import FOLDED
from wsol.data.loader import eval_loader
from wsol.data.manifest import Manifest, ManifestSplit
from wsol.errors import UserError
from wsol.evaluation.evaluator import Evaluation, collect, score
from wsol.evaluation.per_image import PerImage
from wsol.evaluation.protocol import Protocol, ThresholdPolicy, protocol
from wsol.maps.source import Clock, predictions, resolve
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
        self, split: ManifestSplit, source: str, rules: Protocol, kept: Kept | None = None
    ) -> tuple[PerImage, Clock]:
        """Per-image arrays of a split: this process's share, merged with the others'."""
        self.check_scores(split)
        rank, world_size = self.fabric.global_rank, self.fabric.world_size
        annotations = split.annotations()
        parts = scoring_parts(self.recipe, split, self.folder)
        own = {image_id for part in parts for image_id in part.images.image_ids[rank::world_size]}
        share = {image_id: found for image_id, found in annotations.items() if image_id in own}
        clock = Clock()
        stream: Iterator[Prediction] = chain.from_iterable(
            self._predictions(part, source, clock) for part in parts
        )
        per_image = collect(
            kept.through(stream) if kept else stream,
            share,
            rules,
            # A share does not see whether other images have masks.
            pixels=self.recipe.evaluation.masks
            and any(annotation.masks for annotation in annotations.values()),
            progress=source,
        )
        if world_size == 1:
            return per_image, clock
        shares: list[Any] = [None] * world_size
        distributed.all_gather_object(shares, per_image)
        return PerImage.merge(shares, split.image_ids), clock

    def _predictions(self, part: Part, source: str, clock: Clock) -> Iterator[Prediction]:
        """This process's share of a part's images, by the network that may score them."""
        if self.recipe.training.folds:
            part.folder.load_weights(self.localizer, self.recipe.training.selection)
        rank, world_size = self.fabric.global_rank, self.fabric.world_size
        yield from predictions(
            self.localizer,
            eval_loader(part.images, self.recipe, rank=rank, world_size=world_size),
            source,
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
    evaluations: dict[str, Evaluation] = {}
    for source in dict.fromkeys(settings.maps):
        subject = _subject(run, resolve(source, run.localizer))
        if results and find_record(results, identity(subject, split, rules, policy)):
            continue
        started = now()
        kept = Kept(split, overlays)
        evaluation = _score(run, subject, split, rules, policy, kept)
        evaluations[subject.maps] = evaluation
        if run.fabric.is_global_zero:
            publish(
                subject,
                split,
                rules,
                evaluation,
                kept,
                started,
                results=results,
                output=_output(output, source, len(settings.maps)),
            )
    run.fabric.barrier()
    return evaluations


def _output(output: Path | str | None, source: str, sources: int) -> Path | None:
    """The folder of one source: a folder of its own where there are several."""
    if output is None:
        return None
    return Path(output, source.replace(":", "-")) if sources > 1 else Path(output)


def _score(
    run: Run,
    subject: Subject,
    split: ManifestSplit,
    rules: Protocol,
    policy: ThresholdPolicy,
    kept: Kept,
) -> Evaluation:
    val = None
    if policy.name == "val":
        held_out = run.manifest.split("val")
        if not held_out.annotated:
            raise UserError(f"{run.manifest.folder}: val has no boxes or masks to choose thresholds on")
        val, _ = run.arrays(held_out, subject.maps, rules)
    per_image, clock = run.arrays(split, subject.maps, rules, kept)
    subject.cost["images_per_second"] = clock.images_per_second
    return score(per_image, rules, policy=policy, val=val)


def _subject(run: Run, maps: str) -> Subject:
    recipe = run.recipe
    attention = "" if recipe.attention.name == "none" else recipe.attention.name.split(":")[-1]
    parts = (recipe.backbone.name, attention, recipe.method.name, f"seed{recipe.seed}")
    return Subject(
        name="-".join(part.replace("/", "-") for part in parts if part),
        what=recipe.what(),
        maps=maps,
        how={**recipe.how_part(), "training": {key: run.facts.get(key) for key in TRAINING_FACTS}},
        seeds={"training": recipe.seed},
        cost={
            **run.facts["cost"],
            "device": device_name(run.fabric.device),
            "train_images_per_second": run.facts["train_images_per_second"],
        },
    )
