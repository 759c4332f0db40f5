"""The verb ``evaluate_maps``: score maps of any framework; the images need not be there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.errors import UserError
from wsol.evaluation.evaluator import Evaluation, collect
from wsol.maps.class_matching import listed
from wsol.maps.map_folder import MapFolder
from wsol.pipeline.evaluate import ScoringJob, evaluate
from wsol.pipeline.outputs.pictures import KeptPredictions
from wsol.pipeline.outputs.publish import MapsOrigin, Outputs
from wsol.progress import say
from wsol.recipe import EvaluationSettings
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.samples import Prediction

FILES = "files"


def evaluate_maps(
    folder: Path | str,
    manifest: Manifest | Path | str,
    settings: EvaluationSettings | None = None,
    *,
    name: str = "",
    predictions: Path | str | None = None,
    outputs: Outputs | None = None,
) -> Evaluation:
    """Score ``folder/<image_id>.npy`` on a split of ``manifest``; imports no torch.

    Args:
        folder: one map an image, any size, ``.npy`` or ``.npz``.
        manifest: the data set, or the folder that ``wsol prepare`` wrote.
        settings: split, protocol, thresholds, step.
        name: what the board calls these maps, in its column ``method``; the folder's name by default.
        predictions: table of classes (`MapFolder`); ``folder/predictions.csv`` by default, if there.
        outputs: what is written where; nothing by default.

    Raises:
        UserError: a split without boxes and masks, an image without a map, a file that is no map, an
            unknown class.
    """
    if not isinstance(manifest, Manifest):
        manifest = Manifest.read(manifest)
    settings = settings or EvaluationSettings()
    job = FolderJob(folder, manifest, settings, name=name, predictions=predictions)
    return evaluate(job, outputs or Outputs())[FILES]


class FolderJob(ScoringJob):
    """The maps of a folder: their content is their identity, so it is known once they have been read."""

    def __init__(
        self,
        folder: Path | str,
        manifest: Manifest,
        settings: EvaluationSettings,
        *,
        name: str = "",
        predictions: Path | str | None = None,
    ) -> None:
        self.manifest, self.settings, self.sources = manifest, settings, [FILES]
        self.folder, self.predictions = Path(folder), predictions
        self.name = name or Path(folder).resolve().name
        self.digest = MapsDigest()

    def origin(self, source: str) -> MapsOrigin | None:
        """The digest of the maps and their classes, and what they are called."""
        if self.digest.empty:
            return None
        what = {"maps": FILES, "content": self.digest.hexdigest(), "method": {"name": self.name}}
        return MapsOrigin(FILES, what, FILES)

    def arrays(
        self,
        split: ManifestSplit,
        sources: Sequence[str],
        protocol: Protocol,
        kept: Mapping[str, KeptPredictions],
    ) -> dict[str, PerImage]:
        """The arrays of the folder's maps of ``split``."""
        annotations = split.annotations()
        classes = {key: label for label, key in enumerate(split.class_keys)}
        try:
            maps = MapFolder(self.folder, annotations, classes, self.predictions)
        except UserError as error:
            if split.name == self.settings.split:
                raise
            mend = f"give the maps of {split.name} too, or --thresholds oracle or fixed:T"
            raise UserError(f"thresholds are chosen on {split.name}: {mend}; {error}") from None
        if maps.unmatched:
            say(f"note: maps of no image of {split.name}: {listed(maps.unmatched)}")
        stream = self.digest.through(maps)
        stream = kept[FILES].through(stream) if kept else stream
        pixels = self.scores_masks(split)
        per_image = collect(
            stream,
            annotations,
            protocol,
            pixels=pixels,
            readings=self.readings(split, protocol),
            progress="maps",
        )
        per_image.counts = dict(sorted((per_image.counts | maps.counts).items()))
        return {FILES: per_image}


class MapsDigest:
    """Hashes maps and classes as they stream by: the identity of maps without a recipe."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.empty = True

    def through(self, predictions: Iterable[Prediction]) -> Iterator[Prediction]:
        """The same predictions."""
        for prediction in predictions:
            self.empty = False
            score_map = prediction.score_map
            if score_map is not None:
                self._hash.update(f"{prediction.image_id} {score_map.dtype} {score_map.shape}".encode())
                self._hash.update(score_map.tobytes())
            self._hash.update(repr(prediction.top5).encode())
            yield prediction

    def hexdigest(self) -> str:
        """64 hex digits of everything that went through."""
        return self._hash.hexdigest()
