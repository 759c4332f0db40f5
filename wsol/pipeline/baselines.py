"""The rows that stand beside every other: what the same images give without a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wsol.data.digits.tests import GENERATOR
from wsol.data.manifest.manifest import ManifestSplit
from wsol.data.manifest.queries import scored_split
from wsol.evaluation.evaluator import collect
from wsol.maps import map_source
from wsol.maps.contract import ImageMaps
from wsol.pipeline.evaluate import ScoringJob, evaluate
from wsol.pipeline.inputs import open_manifest
from wsol.pipeline.outputs.pictures import KeptPredictions
from wsol.pipeline.outputs.publish import MapsOrigin, Outputs
from wsol.progress import is_first_rank
from wsol.recipe import Recipe
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.samples import Prediction


def evaluate_baselines(recipe: Recipe, *, overlays: int = 0) -> None:
    """Score the centred box and the image's brightness on the recipe's split and protocol.

    Where masks are scored there is a Gaussian too; of digits the brightness blurred and its largest
    component; all and none of the image where a protocol gives P and J a class.

    No baseline has class scores. Under the policy ``val`` the box's size is chosen on val like
    everybody's. Records that are there are kept; under torchrun rank 0 does it all.
    """
    if is_first_rank():
        evaluate(BaselineJob(recipe), Outputs(results=recipe.how.results, overlays=overlays))


class BaselineJob(ScoringJob):
    """The baselines of one data set and protocol."""

    def __init__(self, recipe: Recipe) -> None:
        self.manifest, self.settings = open_manifest(recipe), recipe.evaluation
        self.size = self.protocol.size or recipe.data.input_size
        masks = self.scores_masks(scored_split(self.manifest, self.settings.split))
        self.sources = ["center", "intensity", *(["gaussian"] if masks else [])]
        if self.manifest.name == GENERATOR:
            # Its objects are the brightest things of the image, and so are its distractors: how much of
            # a figure brightness alone explains is the first question to every row. Elsewhere objects
            # are not made of ink, and what was published without these rows stays as it is.
            self.sources += ["intensity:blurred", "intensity:component"]
        if self.protocol.per_class:
            self.sources += ["background", "foreground"]
        self.sources += [name for maps in self.settings.maps for name in map_source(maps).beside]
        self.sources = list(dict.fromkeys(self.sources))

    def origin(self, source: str) -> MapsOrigin:
        """The source and the side of the square in which maps are compared are all that makes it."""
        what: dict[str, Any] = {"maps": source, "data": {"input_size": self.size}}
        if not self.settings.masks:
            what["evaluation"] = {"masks": False}
        # The name begins that of a file.
        return MapsOrigin(source.replace(":", "-"), what, source, how=map_source(source).described())

    def arrays(
        self,
        split: ManifestSplit,
        sources: Sequence[str],
        protocol: Protocol,
        kept: Mapping[str, KeptPredictions],
    ) -> dict[str, PerImage]:
        """The arrays of one source's maps of ``split``."""
        (source,) = sources
        stream = self._predictions(source, split)
        if kept:
            stream = kept[source].through(stream)
        pixels = self.scores_masks(split)
        per_image = collect(
            stream,
            split.annotations(),
            protocol,
            pixels=pixels,
            readings=self.readings(split, protocol),
            progress=source,
        )
        return {source: per_image}

    def _predictions(self, source: str, split: ManifestSplit) -> Iterator[Prediction]:
        maps = map_source(source)
        assert isinstance(maps, ImageMaps)
        maps.exif = split.manifest.exif
        maps.of_images(split)
        for image_id, label, path in zip(split.image_ids, split.labels, split.paths, strict=True):
            found = maps.read(path, self.size)
            if found.dtype == bool:
                yield Prediction(image_id, int(label), mask=found)
            else:
                yield Prediction(image_id, int(label), score_map=found)
