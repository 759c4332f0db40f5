"""The figures of every control on every test, by the evaluator that scores the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wsol.cores import cores
from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.data.manifest.queries import scored_split
from wsol.evaluation.evaluator import Evaluation, collect, score
from wsol.pipeline.diagnosis.ceiling import network_predictions, recipe_of, train_ceiling, untrained
from wsol.pipeline.diagnosis.controls import CONTROLS, Control
from wsol.pipeline.diagnosis.drawn_images import drawn_images
from wsol.pipeline.diagnosis.figures import TRAINING_SETS, images_of
from wsol.pipeline.diagnosis.truth import ImageTruth, truths
from wsol.progress import say
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Prediction

PROTOCOL = "halfopen"
NETWORKS = UNTRAINED, CEILING = "untrained network", "network supervised by masks"


@dataclass(frozen=True)
class ControlScore:
    """One control on one test.

    Attributes:
        name: what tables call the control, with its size.
        failing: what is known to be wrong with it; empty where nothing is.
        images: what tables call the scored images, ``several 3 apart``.
        count: of the scored images, or of their queries.
        values: its figures by the metrics' keys, in their units; None where one cannot be computed.
    """

    name: str
    failing: str
    images: str
    count: int
    values: dict[str, float | None]


def score_all(output: Path, *, small: bool = False) -> list[ControlScore]:
    """Every control on the primary images of every test, drawn in ``output`` where they are missing.

    ``small``: few images and one epoch: whether everything runs. One training a training set, seed 0.
    """
    found = []
    for training in TRAINING_SETS:
        drawn = [
            (drawn_images(images, output, small=small), images.variant)
            for images in images_of(training, full=False)
        ]
        for manifest, variant in drawn:
            say(f"controls on {variant}")
            found += score_controls(manifest, variant)
        found += score_networks(drawn[0][0], drawn, epochs=1 if small else None)
    return found


def score_controls(
    manifest: Manifest, variant: str, *, split: str = "test", names: Iterable[str] = ()
) -> list[ControlScore]:
    """Every control made without a network that this test is for, at both sizes.

    Args:
        manifest: of digits.
        variant: what tables call its images.
        split: of the manifest.
        names: of the controls wanted; none takes all.
    """
    images = scored_split(manifest, split)
    known = list(truths(images))
    wanted, found = set(names), []
    for control in CONTROLS:
        if manifest.drawn["test"] not in control.tests or (wanted and control.name not in wanted):
            continue
        for cells in (True, False) if control.coarse else (False,):
            name = f"{control.name}, cells" if cells else control.name
            evaluation = evaluated(_predictions(control, known, cells=cells), images)
            values = values_of(evaluation)
            found.append(ControlScore(name, control.failing, variant, len(images), values))
    return found


def score_networks(
    training: Manifest, scored: Iterable[tuple[Manifest, str]], *, epochs: int | None = None
) -> list[ControlScore]:
    """The untrained network and the ceiling of a training set, on every manifest that it is for.

    ``scored`` are manifests and what tables call their images; ``epochs`` are a row's own where None.
    """
    recipe, found = recipe_of(training, epochs=epochs), []
    say(f"training the ceiling on {training.folder}")
    networks = (
        (UNTRAINED, "knows nothing", untrained(recipe, training.class_keys)),
        (CEILING, "", train_ceiling(recipe, training)),
    )
    for manifest, variant in scored:
        split = scored_split(manifest, recipe.evaluation.split)
        for name, failing, localizer in networks:
            maps = network_predictions(localizer, split, recipe, shares=name == CEILING)
            values = values_of(evaluated(maps, split))
            found.append(ControlScore(name, failing, variant, len(split), values))
    return found


def evaluated(predictions: Iterable[Prediction], split: ManifestSplit) -> Evaluation:
    """The figures of some maps of a split; no intervals, since of a control nothing is inferred."""
    protocol = protocol_named(PROTOCOL)
    per_image = collect(predictions, split.annotations(), protocol, threads=cores())
    return score(per_image, protocol, intervals=False, classes=split.class_keys)


def values_of(evaluation: Evaluation) -> dict[str, float | None]:
    """The value of each metric."""
    return {key: entry["value"] for key, entry in evaluation.metrics.items()}


def _predictions(control: Control, known: Iterable[ImageTruth], *, cells: bool) -> Iterator[Prediction]:
    for truth in known:
        found = control.map_of(truth, cells=cells)
        if found.dtype == bool:
            yield Prediction(truth.image_id, truth.label, mask=found)
        else:
            yield Prediction(truth.image_id, truth.label, score_map=found)
