"""The verb ``evaluate`` for one's own images: a folder and annotations, nothing prepared before."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from wsol.data.layouts.custom import custom_manifest
from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.errors import UserError
from wsol.evaluation.evaluator import Evaluation
from wsol.maps.readers import PREDICTED
from wsol.maps.source import lacking_classes
from wsol.pipeline.evaluate_run import score_run
from wsol.progress import say
from wsol.recipe import EvaluationSettings as Settings
from wsol.recipe import How
from wsol.training.run_folder import RunFolder

SCORED = "test"


def score_images(
    images: Path | str,
    annotations: Path | str | Sequence[Path | str],
    run: Path | str,
    output: Path | str,
    *,
    maps: Sequence[str] = (),
    protocol: str = "halfopen",
    thresholds: str = "",
    step: float = 0.001,
    corners: str | None = None,
    how: How | None = None,
    results: Path | str | None = None,
    overlays: int = 12,
) -> dict[str, Evaluation]:
    """Score ``run`` on every annotated image below ``images``; masks too where there are any.

    Writes into ``output``, several sources a folder each: ``metrics.json``; ``per_image.csv``, the box
    and the IoU of each image; ``masks/``, the predicted ones; ``overlays/``.

    Args:
        annotations: COCO JSON, VOC XML, CSV or mask PNGs, see `wsol.data.layouts.custom`.
        run: a run folder; of its recipe only the network, the batch and what classes stand for count.
        maps: sources; none takes the recipe's, or ``cam@predicted`` where an image has no class or
            one that the run does not know.
        corners: how the annotations write corners; None: as their format does.
        protocol, thresholds, step, how, results, overlays: as in `wsol.pipeline.score_run`.

    Raises:
        UserError: everything that is wrong with images and annotations; thresholds of a val split.
    """
    if thresholds == "val":
        raise UserError("thresholds val: one's own images have no val split; choose oracle or fixed:0.2")
    recipe, facts = RunFolder(run).recipe(), RunFolder(run).facts()
    with tempfile.TemporaryDirectory() as folder:
        manifest = custom_manifest(
            images,
            annotations,
            Path(folder) / "manifest",
            skip=output,
            corners=corners,
            split=SCORED,
            one_split=True,
        )
        split = _annotated(manifest, images)
        stand_for = recipe.evaluation.classes
        classes = {key: stand_for[key] for key in manifest.class_keys if key in stand_for}
        if not maps:
            unread = _unread(split, lacking_classes(facts["class_keys"], split.class_keys, classes))
            maps = [PREDICTED] if unread else recipe.evaluation.maps
            if unread:
                say(f"{unread}: scoring the map of the predicted class")
        settings = Settings(
            split=SCORED,
            maps=list(maps),
            protocol=protocol,
            thresholds=thresholds,
            step=step,
            batch_size=recipe.evaluation.batch_size,
            classes=classes,
        )
        return score_run(
            run,
            settings,
            how,
            manifest=manifest.folder,
            results=results,
            output=output,
            overlays=overlays,
            masks=True,
        )


def _annotated(manifest: Manifest, images: Path | str) -> ManifestSplit:
    """The images to score; says what was decided about odd input, and how many there are."""
    split = manifest.split(SCORED) if SCORED in manifest.splits else None
    if split is None or not split.annotated:
        raise UserError(f"{images}: its annotations have no boxes or masks to score")
    for note in manifest.info["notes"]:
        say(f"note: {note}")
    say(f"{len(split)} of {sum(manifest.splits.values())} images are annotated, and scored")
    return split


def _unread(split: ManifestSplit, lacking: Sequence[str]) -> str:
    """Why the images' true classes cannot be read; empty where they can."""
    if without := int((split.labels < 0).sum()):
        return f"{without} images have no class"
    if lacking:
        return f"{len(lacking)} classes are none of the run's, e.g. {lacking[0]!r}"
    return ""
