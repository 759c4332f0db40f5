"""A run scored on other images than its own: which are drawn for it, and how they are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.queries import scored_split
from wsol.errors import UserError
from wsol.maps import PREDICTED
from wsol.maps.model_sources import model_maps
from wsol.recipe import EvaluationSettings

# What two manifests of one generator must have in common: the training set, what it was drawn from and
# how large the images are. Samples of another seed would be split in another way.
COMMON = ("by", "training", "size", "seed")


def check_drawn_for(manifest: Manifest, trained_on: Mapping[str, Any], run: str) -> None:
    """``UserError`` where a generator drew ``manifest`` for networks of another training set.

    ``trained_on`` is what the training images were drawn by, empty where none were; ``run`` is what the
    message calls the network.
    """
    drawn = manifest.drawn
    if drawn and any(drawn.get(key) != trained_on.get(key) for key in COMMON):
        raise UserError(
            f"{manifest.folder}: is for networks trained on {_told(drawn)}, and {run} was trained on "
            f"{_told(trained_on) if trained_on else 'other images'}: name a test of that training set"
        )


def settings_on(manifest: Manifest, settings: EvaluationSettings) -> EvaluationSettings:
    """The settings as ``manifest`` can be scored by them.

    Where images of the split have no label, no map is of their true class: those of the predicted class
    are read instead, of all images alike. And who has to tell them apart may not choose the threshold
    on them: val chooses, unless the settings say otherwise.
    """
    if not (scored_split(manifest, settings.split).labels < 0).any():
        return settings
    maps = [
        f"{name}{PREDICTED}" if model_maps(name).of_class == "true" else name for name in settings.maps
    ]
    return dataclasses.replace(settings, maps=maps, thresholds=settings.thresholds or "val")


def _told(drawn: Mapping[str, Any]) -> str:
    training = " ".join(str(value) for value in drawn["training"].values())
    return f"{drawn['by'].split()[0]} {training} of {drawn['size']} pixels, seed {drawn['seed']}"
