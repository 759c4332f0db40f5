"""Galleries that records lack: drawn from the maps again, at the threshold that the record says.

A record is there before its pictures where nobody asked for pictures then, or where somebody has deleted
them since. It is kept as it is, and only the images that galleries show pass through the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from wsol.evaluation.evaluator import Evaluation
from wsol.pipeline.inputs import annotated_split
from wsol.pipeline.outputs.pictures import KeptPredictions, write_gallery
from wsol.pipeline.outputs.publish import Outputs, gallery_folder
from wsol.progress import say, world_size
from wsol.report.gallery import has_gallery
from wsol.scores.per_image import PerImage
from wsol.scores.records import RunRecord

if TYPE_CHECKING:
    from wsol.pipeline.evaluate import ScoringJob


def lacking(records: Mapping[str, Path], outputs: Outputs) -> dict[str, RunRecord]:
    """The records, by source, whose gallery is wanted and not there, or not whole."""
    if outputs.results is None or outputs.overlays < 1:
        return {}
    read = {source: RunRecord.read(path) for source, path in records.items()}
    return {
        source: record
        for source, record in read.items()
        if not has_gallery(gallery_folder(outputs.results, record.run_id))
    }


def draw_missing(job: ScoringJob, records: Mapping[str, RunRecord], outputs: Outputs) -> None:
    """Draw the galleries of ``records``, by source of the job's maps."""
    if not records or outputs.results is None:
        return
    if world_size() > 1:
        say(
            f"pictures of {len(records)} records are missing: run it again without torchrun to draw them"
        )
        return
    whole = annotated_split(job.manifest, job.settings.split)
    for together in job.passes(list(records)):
        kept = {source: KeptPredictions(whole, outputs.overlays) for source in together}
        split = whole.only(kept[together[0]].wanted)
        arrays = job.arrays(split, together, job.protocol, kept)
        for source in together:
            record = records[source]
            say(f"{source}: drawing the pictures of the record {record.run_id}")
            folder = gallery_folder(outputs.results, record.run_id)
            write_gallery(kept[source], _as_recorded(record, arrays[source]), job.protocol, folder)


def _as_recorded(record: RunRecord, per_image: PerImage) -> Evaluation:
    """The figures and thresholds of the record, beside the arrays of some of its images."""
    return Evaluation(
        record.metrics,
        record.optimism,
        record.threshold,
        record.specifications,
        per_image=per_image,
        counts=record.counts,
        n_images=record.n_images,
        n_expected=record.n_expected,
    )
