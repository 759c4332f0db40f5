"""The rows of a grid: what each is called, and which of its records are there."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from wsol.data.manifest.manifest import Manifest
from wsol.maps.model_sources import expand, model_maps
from wsol.methods.build import trained_localizer
from wsol.pipeline.inputs import open_manifest, resolved
from wsol.pipeline.outputs.publish import (
    MapsOrigin,
    find_record,
    gallery_folder,
    identity,
    scored_what,
)
from wsol.pipeline.training_set import check_drawn_for, settings_on
from wsol.recipe import EvaluationSettings, Recipe
from wsol.report.gallery import has_gallery
from wsol.scores.protocol import protocol_named
from wsol.training.run_folder import RunFolder, run_name


class Scoring(NamedTuple):
    """One data set that a run is scored on: how, and the ids of its records, one a source of maps."""

    manifest: Manifest
    settings: EvaluationSettings
    run_ids: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class GridRow:
    """One recipe with its seed.

    Attributes:
        recipe_name: what the recipe is called among those of the grid.
        recipe: with its weights file hashed.
        manifest: its data set.
        folder: where its run is, or will be.
        scorings: what it is scored on, its own data set first.
    """

    recipe_name: str
    recipe: Recipe
    manifest: Manifest
    folder: RunFolder
    scorings: tuple[Scoring, ...]

    @property
    def run_ids(self) -> tuple[str, ...]:
        """Of all its records."""
        return tuple(run_id for scoring in self.scorings for run_id in scoring.run_ids)

    @property
    def name(self) -> str:
        """What lines about the row begin with; no other row of the grid has it."""
        return f"{self.recipe_name} seed {self.recipe.seed}"

    @property
    def recorded(self) -> bool:
        """Whether all its records are there; the run need not be."""
        return all(find_record(self.recipe.how.results, run_id) for run_id in self.run_ids)

    def lacks_pictures(self, overlays: int) -> bool:
        """Whether pictures are asked for and some are not there, but the run is, to draw them from."""
        if overlays < 1 or not self.folder.finished:
            return False
        results = self.recipe.how.results
        return not all(has_gallery(gallery_folder(results, run_id)) for run_id in self.run_ids)

    def done(self, overlays: int) -> bool:
        """Whether nothing is left to do for it."""
        return self.recorded and not self.lacks_pictures(overlays)


def rows_of(
    name: str, recipe: Recipe, seeds: Sequence[int], also: Sequence[Path | str] = ()
) -> list[GridRow]:
    """One row a seed, scored on the recipe's data set and on the manifests ``also``.

    Raises:
        UserError: a data set that is not there, an unknown name in the recipe, a network or a method
            that cannot be built, a data set whose images are drawn for networks of another training set.
    """
    recipe = resolved(recipe)
    manifest = open_manifest(recipe)
    sources = _sources(recipe, manifest)
    settings = dataclasses.replace(recipe.evaluation, maps=sources)
    own = [(manifest, settings)]
    for folder in also:
        other = Manifest.read(folder)
        check_drawn_for(other, manifest.drawn, name or recipe.backbone.name)
        own.append((other, settings_on(other, settings)))
    rows = []
    for seed in seeds:
        seeded = dataclasses.replace(recipe, seed=seed)
        folder = RunFolder(Path(recipe.how.runs) / run_name(seeded, manifest.hash))
        scorings = tuple(
            Scoring(scored, chosen, _run_ids(seeded, chosen, scored, manifest.hash))
            for scored, chosen in own
        )
        rows.append(GridRow(name, seeded, manifest, folder, scorings))
    if not all(row.recorded for row in rows):  # what cannot be built is said before others are trained
        trained_localizer(recipe, manifest.class_keys)
    return rows


def short_names(recipes: Sequence[Recipe]) -> list[str]:
    """What people call the recipes beside each other: only parts in which they differ, and attention."""
    parts = [
        (
            recipe.data.name,
            Path(recipe.data.manifest).name,
            recipe.backbone.name,
            _attention(recipe),
            recipe.evaluation.protocol,
        )
        for recipe in recipes
    ]
    told = [place == 3 or len(set(column)) > 1 for place, column in enumerate(zip(*parts, strict=True))]
    names = [
        " ".join(part for part, wanted in zip(row, told, strict=True) if wanted and part)
        for row in parts
    ]
    counts, seen = Counter(names), Counter[str]()
    for place, name in enumerate(names):
        seen[name] += 1
        if counts[name] > 1:  # a sweep: what they differ in may be anything
            names[place] = f"{name} ({seen[name]})"
    return names


def _attention(recipe: Recipe) -> str:
    """The attention's name, and the method's where there is none or it is another than CAM."""
    attention, method = recipe.attention.label.split(":")[-1], recipe.method.name.split(":")[-1]
    if recipe.attention.name == "none":
        return method
    return attention if method == "cam" else f"{attention} {method}"


def _sources(recipe: Recipe, manifest: Manifest) -> list[str]:
    """The sources of maps by the names that records have; ``attention`` is whichever the module says."""
    sources = list(recipe.evaluation.maps)
    if any(model_maps(source).named_by_network for source in sources):
        return expand(sources, trained_localizer(recipe, manifest.class_keys))
    return list(dict.fromkeys(sources))


def _run_ids(
    recipe: Recipe, settings: EvaluationSettings, manifest: Manifest, trained_on: str
) -> tuple[str, ...]:
    protocol = protocol_named(settings.protocol, settings.step)
    policy = protocol.policy_named(settings.thresholds)
    split = manifest.split(settings.split)
    what = scored_what(dataclasses.replace(recipe, evaluation=settings), trained_on, manifest.hash)
    return tuple(
        identity(MapsOrigin("", what, source), split, protocol, policy) for source in settings.maps
    )
