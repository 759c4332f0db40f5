"""The verb ``diagnose``: what a module mends, what it worsens, and what cannot be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsol.board.runs.reading import StoredRun
from wsol.cores import cores
from wsol.data.digits.tests import digits_set
from wsol.errors import UserError
from wsol.pipeline.benchmark import Grid
from wsol.pipeline.diagnosis.drawn_images import drawn_images, folder_of
from wsol.pipeline.diagnosis.figures import PRIMARY, TRAINING_SETS, images_of
from wsol.pipeline.diagnosis.profile import TestProfile, profile
from wsol.pipeline.diagnosis.rows import DiagnosedRow, rows_of
from wsol.pipeline.digits_recipes import digits_recipe, on_this_machine
from wsol.pipeline.grid.rows import GridRow
from wsol.pipeline.outputs.publish import find_record
from wsol.recipe import AttentionSettings, How, MethodSettings, Recipe
from wsol.scores.records import RunRecord


@dataclass(frozen=True)
class Diagnosis:
    """A finished diagnosis.

    Attributes:
        module: what tables call what was diagnosed.
        rows: CAM, the control where there is one, the module.
        seeds: of each row's training.
        profiles: of the tests, in the order of the family.
        runs: every record, by the images it is of, then by row, a seed each.
        small: whether it only shows that everything runs.
    """

    module: str
    rows: tuple[str, ...]
    seeds: tuple[int, ...]
    profiles: tuple[TestProfile, ...]
    runs: Mapping[str, Mapping[str, Sequence[StoredRun]]]
    small: bool = False


def diagnose(
    module: AttentionSettings | str,
    method: MethodSettings | str = "cam",
    seeds: Sequence[int] = (0,),
    output: Path | str = "diagnosis",
    *,
    full: bool = False,
    small: bool = False,
) -> Diagnosis:
    """What an attention module mends, beside CAM and a control of as many parameters.

    Args:
        module: a registered name, ``package.module:Class``, or settings with options and places;
            ``none`` where a method alone is diagnosed.
        method: of the module's training.
        seeds: each row is trained once a seed, on each of three training sets.
        output: folder of everything that is made; what is there already is not made again.
        full: every setting of each test's dial, not the primary one alone.
        small: few images and one epoch: whether everything runs, not how well.

    Raises:
        UserError: an unknown module or option, nothing to diagnose, rows that failed.

    Examples:
        >>> import wsol
        >>> found = wsol.diagnose("rfga")                                # doctest: +SKIP
        >>> {one.name: one.verdict for one in found.profiles}            # doctest: +SKIP
    """
    attention = AttentionSettings(name=module) if isinstance(module, str) else module
    chosen = MethodSettings(name=method) if isinstance(method, str) else method
    return DiagnosisPlan(attention, chosen, seeds, output, full=full, small=small).run()


class DiagnosisPlan:
    """What a diagnosis trains and scores; nothing is made before `run`.

    Args:
        attention: the module; ``none`` where a method alone is diagnosed.
        method: of its training; CAM and the control have their own, which is plain training.
        seeds: of the trainings.
        output: folder of everything it makes; where it is there, it goes on.
        full: every setting of each dial, not the primary one alone.
        small: few images and one epoch: whether everything runs, not how well.
    """

    def __init__(
        self,
        attention: AttentionSettings,
        method: MethodSettings | None = None,
        seeds: Sequence[int] = (0,),
        output: Path | str = "diagnosis",
        *,
        full: bool = False,
        small: bool = False,
    ) -> None:
        method = method or MethodSettings()
        self.rows: list[DiagnosedRow] = rows_of(attention, method)
        if len(self.rows) < 2:
            raise UserError(
                "diagnose: CAM is what modules are compared with: name an attention module (wsol list "
                "attention), package.module:Class, or a --method"
            )
        self.seeds, self.output, self.small = tuple(dict.fromkeys(seeds)), Path(output), small
        self.images = {training: images_of(training, full=full) for training in TRAINING_SETS}

    def run(self, jobs: int | None = None) -> Diagnosis:
        """Do what is missing of it; ``RowsFailed`` names rows that could not be trained or scored."""
        for images in (one for own in self.images.values() for one in own):
            drawn_images(images, self.output, small=self.small)
        recipes = {
            (training, row.title): self._recipe(training, row)
            for training in TRAINING_SETS
            for row in self.rows
        }
        # What maps without a network come to, the controls say once for all.
        grid = Grid(list(recipes.values()), self.seeds, also=self._also, baselines=False)
        grid.run(max(1, min(cores(), len(grid.rows))) if jobs is None else jobs)
        runs: dict[str, dict[str, list[StoredRun]]] = {}
        for (training, title), recipe in recipes.items():
            for row in grid.rows_of(recipe):
                for images, run in zip(self.images[training], self._runs(row), strict=True):
                    runs.setdefault(images.variant, {}).setdefault(title, []).append(run)
        return self._diagnosis(runs)

    def _recipe(self, training: str, row: DiagnosedRow) -> Recipe:
        how = How(runs=(self.output / "runs").as_posix(), results=(self.output / "results").as_posix())
        manifest = folder_of(self.images[training][0], self.output)
        recipe = on_this_machine(digits_recipe(row.attention, row.method, manifest, how))
        return recipe.changed(training={"epochs": 1}) if self.small else recipe

    def _also(self, recipe: Recipe) -> list[Path]:
        """The manifests that a recipe's runs are scored on besides that of their training."""
        for own in self.images.values():
            if folder_of(own[0], self.output).as_posix() == recipe.data.manifest:
                return [folder_of(images, self.output) for images in own[1:]]
        raise ValueError(f"{recipe.data.manifest}: no training set of this plan")

    def _runs(self, row: GridRow) -> list[StoredRun]:
        """The row's records, one for each manifest it is scored on."""
        found = []
        for scoring in row.scorings:
            (run_id,) = scoring.run_ids
            path = find_record(row.recipe.how.results, run_id)
            assert path is not None, "the grid has made it"
            found.append(StoredRun(path, RunRecord.read(path)))
        return found

    def _diagnosis(self, runs: Mapping[str, Mapping[str, Sequence[StoredRun]]]) -> Diagnosis:
        titles = tuple(row.title for row in self.rows)
        by_figure = [runs[figure.images.variant] for figure in PRIMARY]
        gates = []
        for figure in PRIMARY:
            own = runs[digits_set(figure.images.test.training).variant]
            gates.append({title: _top1(own[title]) for title in titles})
        profiles = profile(PRIMARY, by_figure, gates, titles)
        return Diagnosis(titles[-1], titles, self.seeds, tuple(profiles), runs, self.small)


def _top1(runs: Sequence[StoredRun]) -> float:
    values = [run.record.metrics["top1_acc"]["value"] for run in runs]
    return float(np.mean([value for value in values if value is not None]))
