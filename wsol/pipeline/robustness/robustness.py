"""The verb ``robustness``: class and box of runs under FGSM and PGD, at the clean threshold."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsol.data.loading.loader import Batch
from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.errors import UserError
from wsol.evaluation.split_scores import compute
from wsol.maps.classes import class_columns
from wsol.maps.same_weights import sharing_weights
from wsol.pipeline.evaluate_run import ModelJob
from wsol.pipeline.inputs import annotated_split
from wsol.pipeline.model import Model
from wsol.pipeline.names_of_runs import names_of_runs
from wsol.pipeline.robustness.attacks import Attack, Attacker
from wsol.progress import say
from wsol.recipe import EvaluationSettings
from wsol.scores.metrics.gt_known_loc import KEY as GT_KNOWN
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import ThresholdPolicy

TOP1 = "top1_acc"
FIGURES = (TOP1, GT_KNOWN, "top1_loc@0.5", "box_acc_v2")
CLEAN = "none"

Figure = Mapping[str, float | None]


@dataclass(frozen=True)
class Attacked:
    """The figures of one run's maps under one attack, in percent: ``{key: {value, low, high}}``.

    ``relative`` is top-1 accuracy in percent of that of clean images, None where that is 0;
    ``threshold`` the one chosen on clean images, None where no boxes are scored. ``attack`` is None of
    clean images.
    """

    run: str
    maps: str
    attack: Attack | None
    images: int
    figures: Mapping[str, Figure]
    relative: float | None
    threshold: float | None

    @property
    def name(self) -> str:
        """Of the attack."""
        return CLEAN if self.attack is None else self.attack.name

    @property
    def epsilon(self) -> float:
        """In 1/255; 0 of clean images."""
        return 0.0 if self.attack is None else self.attack.epsilon


def robustness(
    runs: Sequence[Model | Path | str],
    attacks: Sequence[Attack],
    settings: Mapping[str, object] | None = None,
    *,
    manifest: Manifest | Path | str | None = None,
    per_class: int = 0,
) -> list[Attacked]:
    """Class and box of each run on clean images and under each attack, made against this run alone.

    The threshold is the one that the policy gives on clean images, whatever the attack: whoever is
    attacked does not choose again.

    Args:
        runs: run folders, ``timm:NAME``, ``torchvision:NAME``, or open models.
        attacks: in the order of the table.
        settings: what to change in each run's own `EvaluationSettings`: split, maps, protocol,
            thresholds. Of the run's maps the first is taken where none are named.
        manifest: another data set than each run's own.
        per_class: so many images of each class, the first; 0 takes all.

    Raises:
        UserError: what `wsol.pipeline.evaluate_run.evaluate_run` says; an image without a label.

    Examples:
        >>> import wsol
        >>> attacks = [wsol.Attack("fgsm", epsilon) for epsilon in (1, 2, 4)]
        >>> found = wsol.robustness(["runs/mine"], attacks)                     # doctest: +SKIP
    """
    if not runs or not attacks:
        raise UserError("robustness: name a run and an attack")
    models = [run if isinstance(run, Model) else Model.open(run) for run in runs]
    found: list[Attacked] = []
    for name, model in zip(names_of_runs(models), models, strict=True):
        own = model.recipe.evaluation
        changed = dataclasses.replace(own, **{"maps": own.maps[:1], **(settings or {})})
        job = AttackedJob(model, dataclasses.replace(changed, faithfulness=False), manifest)
        found += _of_run(name, job, attacks, per_class)
    return found


class AttackedJob(ModelJob):
    """The maps of a model on images that ``attack`` changes; None leaves them as they are."""

    def __init__(
        self,
        model: Model,
        settings: EvaluationSettings,
        manifest: Manifest | Path | str | None = None,
    ) -> None:
        super().__init__(model, settings, manifest)
        self.attack: Attack | None = None

    def batches(self, images: ManifestSplit) -> Iterable[Batch]:
        """This process's batches of the images, changed against the network as it is now."""
        batches = super().batches(images)
        if self.attack is None:
            return batches
        localizer, weights = self.model.localizer, self.recipe.weights
        columns = class_columns(localizer.class_keys, images.class_keys, self.settings.classes)
        # Not against what a source of maps makes of the network.
        attacker = Attacker(sharing_weights(localizer), columns, weights.mean, weights.std)
        return attacker.attacked(batches, self.attack)


def _of_run(name: str, job: AttackedJob, attacks: Sequence[Attack], per_class: int) -> list[Attacked]:
    split = annotated_split(job.manifest, job.settings.split).first_per_class(per_class)
    clean = _arrays(job, split, None)
    thresholds = {source: _threshold(job, source, clean[source]) for source in job.sources}
    found: list[Attacked] = []
    top1: dict[str, float | None] = {}
    strong = [attack for attack in attacks if attack.epsilon > 0]
    for attack in (None, *strong):
        if attack is not None:
            say(f"{name}: {attack.name}, epsilon {attack.epsilon:g}/255")
        arrays = clean if attack is None else _arrays(job, split, attack)
        for source, per_image in arrays.items():
            figures = _figures(job, per_image, thresholds[source])
            value = figures[TOP1]["value"]
            whole = top1.setdefault(source, value)
            relative = 100 * value / whole if value is not None and whole else None
            images, threshold = len(per_image), thresholds[source]
            found.append(Attacked(name, source, attack, images, figures, relative, threshold))
    return found


def _arrays(job: AttackedJob, split: ManifestSplit, attack: Attack | None) -> dict[str, PerImage]:
    job.attack = attack
    found: dict[str, PerImage] = {}
    for together in job.passes(job.sources):
        found |= job.arrays(split, together, job.protocol, {})
    return found


def _threshold(job: AttackedJob, source: str, clean: PerImage) -> float | None:
    """The threshold of GT-known localization on clean images, by the policy; None without boxes."""
    job.attack, policy, val = None, job.policy, None
    if not clean.has("boxes"):
        return None
    if policy.name == "val":
        val = job.arrays(annotated_split(job.manifest, "val"), [source], job.protocol, {})[source]
    chosen = compute(clean, job.protocol, policy, val, resamples=0, keys=[GT_KNOWN])
    return chosen.threshold["values"].get(GT_KNOWN)


def _figures(job: AttackedJob, per_image: PerImage, threshold: float | None) -> Mapping[str, Figure]:
    # Without boxes no figure reads the threshold.
    fixed = ThresholdPolicy("fixed", 0.0 if threshold is None else threshold)
    return compute(per_image, job.protocol, fixed, keys=FIGURES).metrics
