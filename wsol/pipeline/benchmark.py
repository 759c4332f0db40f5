"""The verb ``benchmark``: recipes times seeds, one record each, doing only what is missing."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from wsol.errors import UserError
from wsol.files.locking.lock import Held, hold
from wsol.pipeline.baselines import evaluate_baselines
from wsol.pipeline.grid.agenda import Agenda
from wsol.pipeline.grid.disk import check_room, disk_needs
from wsol.pipeline.grid.row_work import attempt, do_row, words_of
from wsol.pipeline.grid.rows import GridRow, rows_of, short_names
from wsol.pipeline.grid.workers import share_out
from wsol.pipeline.inputs import as_recipe, resolved
from wsol.progress import say, world_size
from wsol.recipe import Recipe


class RowsFailed(UserError):
    """Rows of a grid that came to no record, a line each; the others have theirs."""


def benchmark(
    recipes: Sequence[Recipe | Path | str] | Recipe | Path | str,
    seeds: Sequence[int] = (0,),
    overlays: int = 0,
    jobs: int = 1,
    also: Sequence[Path | str] = (),
) -> None:
    """Train and score; every data set gets its centred-box row beside.

    Interrupted, it goes on where it stopped: a finished epoch, run or record is not made again. Where
    all records of a row are there its run need not be: nothing is trained for them. Records go to the
    folder that each recipe names, ``how.results``. Several of these calls, on one machine or on
    machines that share the folders, share the rows: none is trained twice.

    Args:
        recipes: recipes, or their YAML files; one or several.
        seeds: each recipe is trained once a seed.
        overlays: how many images the report shows of each row.
        jobs: so many rows at a time, each in a process of its own; the cores and the processes that load
            images are divided among them.
        also: manifests that every run is scored on besides its own data set.

    Raises:
        UserError: the disk has no room for it; or rows failed, which are named after the others.

    Examples:
        >>> import wsol
        >>> wsol.benchmark(["configs/clutter/cam.yaml"], seeds=[0, 1, 2])        # doctest: +SKIP
        >>> wsol.leaderboard("results", write=True)                             # doctest: +SKIP
    """
    if isinstance(recipes, str | Path | Recipe):
        recipes = [recipes]
    Grid(recipes, seeds, overlays, lambda recipe: also).run(jobs)


class Grid:
    """Recipes times seeds.

    Attributes:
        rows: a row each; what comes twice is there once.
        also: the manifests that the runs of a recipe are scored on besides its own data set.
        baselines: whether the rows without a network are scored too.
        failures: names of rows, or of recipes whose rows are not even known, and what is wrong.
    """

    def __init__(
        self,
        recipes: Sequence[Recipe | Path | str],
        seeds: Sequence[int] = (0,),
        overlays: int = 0,
        also: Callable[[Recipe], Sequence[Path | str]] = lambda recipe: (),
        baselines: bool = True,
    ) -> None:
        read = [as_recipe(recipe) for recipe in recipes]
        self.overlays, self.also, self.baselines = overlays, also, baselines
        self.rows: list[GridRow] = []
        self.failures: list[tuple[str, str]] = []
        known: dict[tuple[Path, tuple[str, ...]], GridRow] = {}
        self._recipes: list[tuple[str, Recipe]] = []
        for name, recipe in zip(short_names(read), read, strict=True):
            try:
                for row in rows_of(name, recipe, seeds, also(recipe)):
                    known.setdefault((row.folder.path, row.run_ids), row)
                self._recipes.append((name, recipe))
            except Exception as error:
                self._fail(name, error)
        self.rows = list(known.values())

    def rows_of(self, recipe: Recipe) -> list[GridRow]:
        """The rows of one of its recipes, a seed each."""
        alike = resolved(recipe).changed(seed=0)
        return [row for row in self.rows if row.recipe.changed(seed=0) == alike]

    @property
    def results(self) -> list[str]:
        """The folders that its records go to."""
        return list(dict.fromkeys(row.recipe.how.results for row in self.rows))

    @property
    def run_ids(self) -> set[str]:
        """Of the records that its rows have or will have."""
        return {run_id for row in self.rows for run_id in row.run_ids}

    def run(self, jobs: int = 1) -> None:
        """Do what is missing of every row, ``jobs`` at a time.

        Raises:
            UserError: the disk has no room for it, or `RowsFailed`.
        """
        if jobs > 1 and (world_size() > 1 or "RANK" in os.environ):
            raise UserError("--jobs shares rows among processes, torchrun one row: use one of the two")
        new = [row for row in self.rows if not row.recorded]
        there = set(self.rows) - set(new)
        draw = {row for row in there if row.lacks_pictures(self.overlays)}
        todo = [row for row in self.rows if row in draw or row not in there]
        jobs = max(1, min(jobs, len(todo)))
        self._say_plan(new, len(draw), jobs)
        wrong = self._baselines()
        todo = [row for row in todo if row.recipe_name not in wrong]
        if world_size() > 1:  # all of them must do the same: the first failure ends them
            for row in todo:
                do_row(row, self.overlays)
        else:
            self._share(todo, jobs)
        if self.failures:
            raise RowsFailed("\n".join(f"{name}: {message}" for name, message in self.failures))

    def _say_plan(self, new: Sequence[GridRow], draw: int, jobs: int) -> None:
        """One line: what there is to do, and the disk that takes; ``UserError`` where there is less."""
        train = sum(not row.folder.finished for row in new)
        counts = {
            "to train": train,
            "to score": len(new) - train,
            "to draw pictures of": draw,
            "recorded already": len(self.rows) - len(new) - draw,
        }
        parts = [f"{count} {what}" for what, count in counts.items() if count]
        if jobs > 1:
            parts.append(f"{jobs} at a time")
        disk = check_room(disk_needs(new, self.overlays, jobs))
        rows = "1 row" if len(self.rows) == 1 else f"{len(self.rows)} rows"
        if self.rows:
            say("; ".join([f"{rows}: {', '.join(parts)}", *disk]))

    def _baselines(self) -> set[str]:
        """The rows beside the trained ones. Names of recipes whose data set cannot be scored."""
        wrong = set()
        for name, recipe in self._recipes if self.baselines else ():
            try:
                evaluate_baselines(recipe, overlays=self.overlays)
                for folder in self.also(recipe):
                    data = dataclasses.replace(recipe.data, manifest=str(folder))
                    other = dataclasses.replace(recipe, data=data)
                    evaluate_baselines(other, overlays=self.overlays)
            except Exception as error:
                self._fail(name, error)
                wrong.add(name)
        return wrong

    def _share(self, todo: Sequence[GridRow], jobs: int) -> None:
        """Do the rows, those last that somebody else holds now."""
        agenda = Agenda(todo, _is_free)
        if jobs > 1:
            share_out(agenda, self.overlays, jobs)
        else:
            agenda.work_off(lambda row: attempt(row, self.overlays))
        self.failures += agenda.failures

    def _fail(self, name: str, error: Exception) -> None:
        if world_size() > 1:
            raise error
        self.failures.append((name, words_of(error)))


def _is_free(row: GridRow) -> bool:
    try:
        with hold(row.folder.path):
            return True
    except Held:
        return False
