"""A model's classes by their names, and a data set's matched with them."""

from __future__ import annotations

import dataclasses

from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.table_files import read_rows
from wsol.errors import UserError
from wsol.maps.class_matching import ModelClasses, match_classes
from wsol.maps.classes import lacking_classes
from wsol.models.weights.class_keys import full_names
from wsol.pipeline.inputs import manifest_folder
from wsol.pipeline.model import Model
from wsol.progress import say
from wsol.recipe import EvaluationSettings


def classes_of(model: Model) -> ModelClasses:
    """The model's classes: ImageNet's by all their synonyms, a run's by the names in its manifest too.

    A manifest that is not here, or whose classes are no longer those of the run, tells no names.
    """
    keys = model.class_keys
    names = dict(zip(keys, full_names(keys), strict=True))
    if model.folder is not None:
        own = _manifest_names(model)
        names |= {key: own[key] for key, name in names.items() if name == key and own.get(key)}
    return ModelClasses(keys, list(names.values()))


def with_classes(model: Model, manifest: Manifest, settings: EvaluationSettings) -> EvaluationSettings:
    """The settings with the manifest's classes matched by name, where their keys are not the model's.

    Where all keys are, nothing changes: what was recorded keeps its identity. ``UserError`` where a name
    may mean several classes; classes that match nothing are left to whoever reads the maps.
    """
    if not lacking_classes(model.class_keys, manifest.class_keys, settings.classes):
        return settings
    named = dict(zip(manifest.class_keys, manifest.classes, strict=True))
    match = match_classes(classes_of(model), named, settings.classes)
    if match.findings:
        raise UserError.of(match.findings)
    for note in match.notes:
        say(f"note: {note}")
    return dataclasses.replace(settings, classes=match.groups)


def _manifest_names(model: Model) -> dict[str, str]:
    folder = manifest_folder(model.recipe)
    if not (folder / "classes.csv").is_file():
        return {}
    try:
        names = {key: name for _, (_, name, key) in read_rows(folder / "classes.csv")}
    except UserError:
        return {}
    return names if list(names) == model.class_keys else {}
