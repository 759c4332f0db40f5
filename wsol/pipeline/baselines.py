"""The rows that stand beside every other: what the same images give without looking at them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from wsol.data.manifest.manifest import ManifestSplit
from wsol.evaluation.evaluator import collect, score
from wsol.maps.center import center_map, gaussian_map, same_map
from wsol.pipeline.inputs import open_manifest
from wsol.pipeline.pictures import KeptPredictions
from wsol.pipeline.provenance import now
from wsol.pipeline.publish import Subject, find_record, identity, publish
from wsol.progress import is_first_rank
from wsol.recipe import Recipe
from wsol.scores.protocol import Protocol, protocol_named
from wsol.scores.records import Prediction

MAPS = {"center": center_map, "gaussian": gaussian_map}


def score_baselines(recipe: Recipe, *, overlays: int = 0) -> None:
    """Score the centred box on the recipe's split and protocol; where masks are scored, a Gaussian too.

    A protocol of P and J a class gets all and none of the image besides.

    No baseline has class scores. Under the policy ``val`` the box's size is chosen on val like
    everybody's. Records that are there are kept; under torchrun rank 0 does it all.
    """
    if not is_first_rank():
        return
    rules = protocol_named(recipe.evaluation.protocol, recipe.evaluation.step)
    split = open_manifest(recipe).split(recipe.evaluation.split)
    masks = recipe.evaluation.masks and any(one.masks for one in split.annotations().values())
    names = ["center", *(["gaussian"] if masks else [])]
    for name in [*names, *(["background", "foreground"] if rules.per_class else [])]:
        _score(name, recipe, rules, overlays)


def _score(name: str, recipe: Recipe, rules: Protocol, overlays: int) -> None:
    policy = rules.policy_named(recipe.evaluation.thresholds)
    manifest = open_manifest(recipe)
    split = manifest.split(recipe.evaluation.split)
    size = rules.size or recipe.data.input_size
    what: dict[str, Any] = {"maps": name, "data": {"input_size": size}}
    if not recipe.evaluation.masks:
        what["evaluation"] = {"masks": False}
    subject = Subject(name=name, what=what, maps=name)
    if find_record(recipe.how.results, identity(subject, split, rules, policy)):
        return
    started = now()
    val = None
    if policy.name == "val":
        held_out = manifest.split("val")
        val = collect(_predictions(name, held_out, size), held_out.annotations(), rules)
    kept = KeptPredictions(split, overlays if name == "center" else 0)
    per_image = collect(
        kept.through(_predictions(name, split, size)),
        split.annotations(),
        rules,
        pixels=None if recipe.evaluation.masks else False,
        progress=name,
    )
    scored = score(per_image, rules, policy=policy, val=val, classes=split.class_keys)
    publish(subject, split, rules, scored, kept, started, results=recipe.how.results)


def _predictions(name: str, split: ManifestSplit, size: int) -> Iterator[Prediction]:
    if name in MAPS:
        yield from same_map(MAPS[name](size), split.image_ids, split.labels)
        return
    mask = np.full((1, 1), name == "foreground")
    for image_id, label in zip(split.image_ids, split.labels, strict=True):
        yield Prediction(image_id=image_id, label=int(label), mask=mask)
