"""The verb ``evaluate`` for a trained run: its maps through the evaluator, one record a source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wsol.data.manifest.manifest import ManifestSplit
from wsol.errors import UserError
from wsol.evaluation.evaluator import Evaluation, score
from wsol.maps.readers import passes, resolve
from wsol.pipeline.inputs import annotated_split
from wsol.pipeline.pictures import KeptPredictions, write_masks
from wsol.pipeline.provenance import now
from wsol.pipeline.publish import Subject, find_record, identity, publish
from wsol.pipeline.trained_run import Run
from wsol.progress import say
from wsol.recipe import EvaluationSettings as Settings
from wsol.recipe import How
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol, ThresholdPolicy, protocol_named
from wsol.training.device import device_name
from wsol.training.run_folder import RunFolder

# Of the training, kept in the record beside the scoring's own.
TRAINING_FACTS = ("git_commit", "versions", "device", "processes", "started", "finished")


def score_run(
    path: Path | str,
    settings: Settings | None = None,
    how: How | None = None,
    *,
    manifest: Path | str | None = None,
    results: Path | str | None = None,
    output: Path | str | None = None,
    overlays: int = 0,
    masks: bool = False,
) -> dict[str, Evaluation]:
    """Score a run by each of ``settings.maps``; returns the evaluations that were made.

    A record that stands in ``results`` is not made again: its source is scored only for ``output``.

    Args:
        path: a run folder.
        settings: split, maps, protocol, thresholds; None takes the run's own recipe's.
        manifest: another data set than the one it was trained on.
        results: append a record to ``results/runs``.
        output: write metrics, per-image table and pictures there; several sources, a folder each.
        overlays: pictures a source.
        masks: write each image's predicted mask below ``output`` too; keeps every map in memory.
    """
    # Settings first: a mistake in them should not wait for a model to load.
    settings = settings or RunFolder(path).recipe().evaluation
    rules = protocol_named(settings.protocol, settings.step)
    policy = rules.policy_named(settings.thresholds)
    if not settings.maps:
        raise UserError("evaluation.maps is empty: name a source (wsol list maps)")
    run = Run.open(path, how, manifest)
    run.recipe.evaluation = settings
    split = annotated_split(run.manifest, settings.split)
    sources = list(dict.fromkeys(resolve(source, run.localizer) for source in settings.maps))
    subjects = {source: _subject(run, source) for source in sources}
    standing = {
        source: results and find_record(results, identity(subject, split, rules, policy))
        for source, subject in subjects.items()
    }
    evaluations: dict[str, Evaluation] = {}
    for together in passes([source for source in sources if output or not standing[source]]):
        started = now()
        kept = {source: KeptPredictions(split, overlays, every=masks) for source in together}
        for source, evaluation in _score(run, subjects, split, rules, policy, kept).items():
            evaluations[source] = evaluation
            folder = _output(output, source, len(sources))
            if run.fabric.is_global_zero:
                publish(
                    subjects[source],
                    split,
                    rules,
                    evaluation,
                    kept[source],
                    started,
                    results=None if standing[source] else results,
                    output=folder,
                )
            if masks and folder:  # each process holds the maps of its own images
                write_masks(kept[source], evaluation, rules, folder / "masks")
    run.fabric.barrier()
    for source, record in standing.items():
        if record and output:
            say(f"{source}: its record stands already and stays: {record}")
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
    kept: Mapping[str, KeptPredictions],
) -> dict[str, Evaluation]:
    """The evaluations of sources that share a forward pass, those of ``kept``."""
    sources = list(kept)
    val: dict[str, PerImage] = {}
    if policy.name == "val":
        val, _ = run.arrays(annotated_split(run.manifest, "val"), sources, rules)
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
