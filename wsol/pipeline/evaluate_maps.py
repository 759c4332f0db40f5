"""Score maps that any framework left in a folder, on a manifest whose images need not be there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.evaluation.evaluator import Evaluation, collect, score
from wsol.evaluation.map_folder import MapFolder
from wsol.pipeline.inputs import annotated_split
from wsol.pipeline.pictures import KeptPredictions
from wsol.pipeline.provenance import now
from wsol.pipeline.publish import Subject, publish
from wsol.recipe import EvaluationSettings as Settings
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol, protocol_named
from wsol.scores.records import Prediction


def score_maps(
    folder: Path | str,
    manifest: Manifest,
    settings: Settings,
    *,
    name: str = "",
    predictions: Path | str | None = None,
    results: Path | str | None = None,
    output: Path | str | None = None,
    overlays: int = 0,
) -> Evaluation:
    """Score ``folder/<image_id>.npy`` on a split of ``manifest``; imports no torch.

    Args:
        name: what the board calls these maps, in its column ``method``; the folder's name by default.
        predictions: table of classes (`MapFolder`); ``folder/predictions.csv`` by default, if there.
        results, output, overlays: what is written where, as in `wsol.pipeline.evaluate_run.score_run`.

    Raises:
        UserError: a split without boxes and masks, an image without a map, a file that is no map, an
            unknown class.
    """
    rules = protocol_named(settings.protocol, settings.step)
    policy = rules.policy_named(settings.thresholds)
    split = annotated_split(manifest, settings.split)
    started = now()
    content = MapsDigest()
    val = None
    pixels = None if settings.masks else False
    if policy.name == "val":
        held_out = annotated_split(manifest, "val")
        val = _arrays(folder, held_out, rules, predictions, content, pixels)
    kept = KeptPredictions(split, overlays)
    per_image = _arrays(folder, split, rules, predictions, content, pixels, kept)
    evaluation = score(per_image, rules, policy=policy, val=val, classes=split.class_keys)
    what = {
        "maps": "files",
        "content": content.hexdigest(),
        "method": {"name": name or Path(folder).resolve().name},
    }
    subject = Subject(name="files", what=what, maps="files")
    publish(subject, split, rules, evaluation, kept, started, results=results, output=output)
    return evaluation


class MapsDigest:
    """Hashes maps and classes as they stream by: the identity of maps without a recipe."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def through(self, predictions: Iterable[Prediction]) -> Iterator[Prediction]:
        """The same predictions."""
        for prediction in predictions:
            score_map = prediction.score_map
            if score_map is not None:
                self._hash.update(f"{prediction.image_id} {score_map.dtype} {score_map.shape}".encode())
                self._hash.update(score_map.tobytes())
            self._hash.update(repr(prediction.top5).encode())
            yield prediction

    def hexdigest(self) -> str:
        """64 hex digits of everything that went through."""
        return self._hash.hexdigest()


def _arrays(
    folder: Path | str,
    split: ManifestSplit,
    rules: Protocol,
    predictions: Path | str | None,
    content: MapsDigest,
    pixels: bool | None,
    kept: KeptPredictions | None = None,
) -> PerImage:
    annotations = split.annotations()
    classes = {key: label for label, key in enumerate(split.class_keys)}
    maps = MapFolder(folder, annotations, classes, predictions)
    stream = content.through(maps)
    stream = kept.through(stream) if kept else stream
    per_image = collect(stream, annotations, rules, pixels=pixels, progress="maps")
    per_image.counts = dict(sorted((per_image.counts | maps.counts).items()))
    return per_image
