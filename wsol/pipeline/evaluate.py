"""The one path from score maps to figures: a job's maps are scored, its records and tables written.

A job says whose maps they are (a trained run's, a folder's, a baseline's) and gives the per-image arrays
of a split; everything after that is the same for all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.evaluation.evaluator import Evaluation, score
from wsol.evaluation.readings import Reading, readings_of
from wsol.pipeline.inputs import annotated_split
from wsol.pipeline.outputs.missing_galleries import draw_missing, lacking
from wsol.pipeline.outputs.pictures import KeptPredictions, write_masks
from wsol.pipeline.outputs.provenance import now
from wsol.pipeline.outputs.publish import (
    MapsOrigin,
    Outputs,
    ScoredMaps,
    append_record,
    find_record,
    identity,
    write_output,
)
from wsol.progress import is_first_rank, say
from wsol.recipe import EvaluationSettings
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol, ThresholdPolicy, protocol_named


class ScoringJob(ABC):
    """Score maps of one or several sources, and the data set they are scored on.

    Attributes:
        manifest: the data set.
        settings: split, protocol, thresholds, step; whether masks are scored.
        sources: the sources of maps, by the names that the board writes; each is a row.
    """

    manifest: Manifest
    settings: EvaluationSettings
    sources: Sequence[str]

    @abstractmethod
    def origin(self, source: str) -> MapsOrigin | None:
        """What made the maps of ``source``; None while that is not known before they have been read."""

    @abstractmethod
    def arrays(
        self,
        split: ManifestSplit,
        sources: Sequence[str],
        protocol: Protocol,
        kept: Mapping[str, KeptPredictions],
    ) -> dict[str, PerImage]:
        """The per-image arrays of ``split`` by source; what ``kept`` wants passes through it."""

    def passes(self, sources: Sequence[str]) -> list[list[str]]:
        """``sources`` as they are read together; here one after the other."""
        return [[source] for source in sources]

    def without_faithfulness(self, source: str) -> str:
        """Why deletion and insertion cannot be measured of ``source``; empty where they can."""
        return "there is no network to ask"

    def wait(self) -> None:
        """Until all processes of the job are here; one that works alone need not wait."""
        return

    @property
    def protocol(self) -> Protocol:
        """The protocol that the settings name, at their threshold step."""
        return protocol_named(self.settings.protocol, self.settings.step)

    @property
    def policy(self) -> ThresholdPolicy:
        """The threshold policy that the settings name; the protocol's own where they name none."""
        return self.protocol.policy_named(self.settings.thresholds)

    def scores_masks(self, split: ManifestSplit) -> bool:
        """Whether masks of ``split`` are scored: they are wanted, and there are some."""
        return self.settings.masks and any(one.masks for one in split.annotations().values())

    def readings(self, split: ManifestSplit, protocol: Protocol) -> list[Reading]:
        """What else is read of ``split``: what its annotations or those of the scored split allow.

        Val need not show everything that thresholds from it are for, such as images without an object.
        """
        annotations = list(split.annotations().values())
        if split.name != self.settings.split:
            scored = annotated_split(self.manifest, self.settings.split)
            annotations += scored.annotations().values()
        return readings_of(annotations, protocol)


def evaluate(job: ScoringJob, outputs: Outputs) -> dict[str, Evaluation]:
    """Score a job's sources and write what ``outputs`` asks for; the evaluations made, by source.

    A record that is in the results already is kept: its source is scored again only for ``output``, and
    a gallery that it lacks is drawn.

    Raises:
        UserError: the split, or val under the policy ``val``, has no boxes or masks; a protocol or
            policy is unknown; what the job finds wrong with its maps.
    """
    recorded = recorded_sources(job, outputs.results)
    wanted = [source for source in job.sources if outputs.output or not recorded.get(source)]
    if job.settings.faithfulness:
        _tell_unasked(job, wanted)
    evaluations: dict[str, Evaluation] = {}
    for together in job.passes(wanted):
        evaluations |= _evaluate_together(job, together, outputs, recorded)
    draw_missing(job, lacking(recorded, outputs), outputs)
    job.wait()
    if outputs.output:
        for source, record in recorded.items():
            say(f"{source}: is recorded already in {record}, which is kept")
    return {source: evaluations[source] for source in job.sources if source in evaluations}


def _tell_unasked(job: ScoringJob, sources: Sequence[str]) -> None:
    """Say of which sources deletion and insertion stay empty, a line for each reason."""
    reasons = {source: job.without_faithfulness(source) for source in sources}
    for reason in dict.fromkeys(filter(None, reasons.values())):
        own = [source for source, why in reasons.items() if why == reason]
        say(f"{', '.join(own)}: no deletion and insertion: {reason}")


def recorded_sources(job: ScoringJob, results: Path | str | None) -> dict[str, Path]:
    """The sources of the job that have a record in ``results``, and its file; known without scoring."""
    split = annotated_split(job.manifest, job.settings.split)
    found = {}
    for source in job.sources if results is not None else ():
        origin = job.origin(source)
        if results is not None and origin is not None:
            found[source] = find_record(results, identity(origin, split, job.protocol, job.policy))
    return {source: record for source, record in found.items() if record}


def _evaluate_together(
    job: ScoringJob, sources: Sequence[str], outputs: Outputs, recorded: Mapping[str, Path]
) -> dict[str, Evaluation]:
    """The evaluations of sources that are read together, each published as soon as all are scored."""
    started = now()
    protocol, policy = job.protocol, job.policy
    split = annotated_split(job.manifest, job.settings.split)
    val: dict[str, PerImage] = {}
    if policy.name == "val":
        val = job.arrays(annotated_split(job.manifest, "val"), sources, protocol, {})
    kept = {source: KeptPredictions(split, outputs.overlays, every=outputs.masks) for source in sources}
    arrays = job.arrays(split, sources, protocol, kept)
    evaluations = {}
    for source in sources:
        evaluation = score(
            arrays[source], protocol, policy=policy, val=val.get(source), classes=split.class_keys
        )
        evaluations[source] = evaluation
        origin = job.origin(source)
        assert origin is not None, "the maps have been read"
        scored = ScoredMaps(origin, split, protocol, evaluation, started)
        folder = _folder(outputs.output, source, len(job.sources))
        if is_first_rank():
            if outputs.results is not None and source not in recorded:
                append_record(scored, kept[source], outputs.results)
            if folder is not None:
                write_output(scored, kept[source], folder)
        if outputs.masks and folder is not None:  # each process holds the maps of its own images
            write_masks(kept[source], evaluation, protocol, folder / "masks")
    return evaluations


def _folder(output: Path | str | None, source: str, sources: int) -> Path | None:
    """The folder of one source: a folder of its own where there are several."""
    if output is None:
        return None
    return Path(output, source.replace(":", "-")) if sources > 1 else Path(output)
