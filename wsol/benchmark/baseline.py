"""The row that stands beside every other: the best centred box of the same images."""

from __future__ import annotations

from wsol.benchmark.gallery import Kept
from wsol.benchmark.preparing import open_manifest
from wsol.benchmark.provenance import now
from wsol.benchmark.records import Subject, find_record, identity, publish
from wsol.evaluation.evaluator import evaluate
from wsol.evaluation.protocol import ThresholdPolicy, protocol
from wsol.maps.center import center_predictions
from wsol.progress import is_first_rank
from wsol.recipe import Recipe


def score_center(recipe: Recipe, *, overlays: int = 0) -> None:
    """Score centred boxes on the recipe's split and protocol; no model, no class scores.

    Under the policy ``val`` the box's size is chosen on val like everybody's. A record that is there
    is kept; under torchrun rank 0 does it all.
    """
    if not is_first_rank():
        return
    settings = recipe.evaluation
    rules = protocol(settings.protocol, settings.step)
    policy = ThresholdPolicy.parse(settings.thresholds)
    manifest = open_manifest(recipe)
    split = manifest.split(settings.split)
    size = rules.size or recipe.data.input_size
    what = {"maps": "center", "data": {"input_size": size}}
    subject = Subject(name="center", what=what, maps="center")
    if find_record(recipe.how.results, identity(subject, split, rules, policy)):
        return
    started = now()
    val = None
    if policy.name == "val":
        held_out = manifest.split("val")
        predictions = center_predictions(held_out.image_ids, held_out.labels, size)
        val = evaluate(predictions, held_out.annotations(), rules, intervals=False).per_image
    kept = Kept(split, overlays)
    predictions = kept.through(center_predictions(split.image_ids, split.labels, size))
    scored = evaluate(predictions, split.annotations(), rules, policy=policy, val=val, progress="center")
    publish(subject, split, rules, scored, kept, started, results=recipe.how.results)
