"""The folder of one training run: its recipe, its weights, its log, and what resuming needs.

recipe.yaml            what was run
run.json               identity, classes, cost, hashes of the weights; written when training has finished
log.csv                one line an epoch
last.safetensors       weights after the last finished epoch; best_val_cls, best_val_loc beside
resume.pth             the method, its optimizers and the epochs done; removed when training has finished
fold0, fold1 ...       where networks are cross-fitted: the last three of each
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from wsol.errors import UserError
from wsol.files.csv_table import csv_text
from wsol.files.locking.lock import Held, Lock, hold
from wsol.files.locking.lock_token import TOKEN
from wsol.files.reading import read_json
from wsol.files.writing.atomic import replacing, write_bytes, write_text
from wsol.models.weights.torch_file import is_whole, read_torch_file
from wsol.recipe import Recipe
from wsol.scores.records import digest
from wsol.training.run_findings import facts_finding, progress_finding
from wsol.training.run_weights import bad_hashes, check_sha256, read_weights, sha256_of, weights_bytes

SELECTIONS = ("last", "val_cls", "val_loc")
AGAIN, ANEW = "; delete the run and train it again", "delete it and the run begins anew"


def training_id(recipe: Recipe, manifest_hash: str) -> str:
    """16 hex digits of what was trained on what; the scoring does not enter."""
    what = {key: value for key, value in recipe.what().items() if key != "evaluation"}
    return digest({"what": what, "manifest_hash": manifest_hash})[:16]


def run_name(recipe: Recipe, manifest_hash: str) -> str:
    """A folder name a person can read, unique by its id."""
    attention = "".join(
        letter if letter.isalnum() else "-" for letter in recipe.attention.name.split(":")[-1]
    )
    parts = (recipe.data.name, recipe.backbone.name, attention, recipe.method.name, f"seed{recipe.seed}")
    return "-".join(parts).replace("/", "-").replace(":", "-") + "-" + training_id(recipe, manifest_hash)


def _was_changed(facts: dict[str, Any]) -> bool:
    """Whether the content of run.json is not what its digest, which is taken out, was made of."""
    said = facts.pop("digest", None)
    try:
        return said is not None and said != digest(facts)
    except ValueError:  # NaN, which is never written
        return True


class RunFolder:
    """Reading and writing one run; every file is written whole or not at all.

    Who trains holds the folder (`held`). Each file then asks right before it changes whether this
    process still does, and whether the run has not been finished: a slower process that was taken over
    spoils nothing.
    """

    def __init__(self, path: Path | str, run: RunFolder | None = None) -> None:
        self.path = Path(path)
        # The whole run: of a fold's folder the one that it lies in.
        self.run = run or self
        self.lock: Lock | None = None

    def fold(self, number: int) -> RunFolder:
        """Where the network of a fold lies: it is held, and finished, with the run."""
        return RunFolder(self.path / f"fold{number}", run=self)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder; ``Held`` where another process does."""
        with hold(self.path) as self.lock:
            try:
                yield
            finally:
                self.lock = None

    @property
    def finished(self) -> bool:
        """Whether training ran to its last epoch."""
        return (self.run.path / "run.json").exists()

    def recipe(self) -> Recipe:
        """The recipe of this run."""
        if not (self.path / "recipe.yaml").is_file():
            raise UserError(
                f"{self.path}: not a run folder (it has no recipe.yaml); `wsol train` makes one"
            )
        return Recipe.from_yaml(self.path / "recipe.yaml")

    def facts(self) -> dict[str, Any]:
        """What ``run.json`` says: identity, class keys, cost. ``UserError`` when unfinished."""
        if not self.finished:
            raise UserError(f"{self.path}: training has not finished; run the same train command again")
        path = self.path / "run.json"
        facts = read_json(path, AGAIN)
        if finding := facts_finding(facts) or bad_hashes(facts.get("weights", {})):
            raise UserError(f"{path}: {finding}{AGAIN}")
        self._check_whole(facts)
        if _was_changed(facts):
            raise UserError(f"{path}: changed since it was written{AGAIN}")
        return facts

    def check_weights(self) -> None:
        """``UserError`` where run.json, or weights that it names, are not as they were finished."""
        for name, sha256 in self.facts().get("weights", {}).items():
            check_sha256(self.path / name, sha256)

    def _check_whole(self, facts: Mapping[str, Any]) -> None:
        """``UserError`` where run.json and the recipe beside it are of two runs."""
        trained = facts.get("training_id")
        if trained is not None and trained != training_id(self.recipe(), str(facts["manifest_hash"])):
            raise UserError(
                f"{self.path / 'recipe.yaml'}: not what this run was trained with (run.json has another "
                "training_id): restore the file, or delete the run and train it again"
            )

    def write_recipe(self, recipe: Recipe) -> None:
        """Write ``recipe.yaml``."""
        write_text(self.path / "recipe.yaml", recipe.to_yaml(), self._check_writable)

    def write_facts(self, facts: Mapping[str, Any]) -> None:
        """Mark the run as finished; the hashes of its weights, which must be finite, are added."""
        facts = {**facts, "weights": sha256_of(self.path)}
        facts["digest"] = digest(facts)
        content = json.dumps(facts, indent=1, sort_keys=True) + "\n"
        write_text(self.path / "run.json", content, self._check_writable)

    def tidy(self) -> None:
        """Remove what a finished run does not need: how to resume, and the lock of a killed process."""
        if not self._progress_files() and not list(self.path.glob(f"{TOKEN}*")):
            return
        # Another process that holds it does the same; a folder that may not be written stays as it is.
        with suppress(Held, OSError), hold(self.path):
            for path in self._progress_files():
                path.unlink(missing_ok=True)

    def save_weights(self, module: nn.Module, selection: str) -> None:
        """Write the weights scored under ``selection``."""
        path = self._weights(selection)
        write_bytes(path, weights_bytes(module, path), self._check_writable)

    def load_weights(self, module: nn.Module, selection: str) -> None:
        """Load the weights scored under ``selection``.

        ``UserError`` when they are another model's, or not those that the run was finished with.
        """
        path = self._weights(selection)
        if not path.is_file():
            raise UserError(f"{path}: no such checkpoint; train with training.selection {selection}")
        try:
            module.load_state_dict(read_weights(path, self._sha256(path)))
        except (RuntimeError, SafetensorError) as error:
            reason = " ".join(str(error).split())[:300]
            raise UserError(f"{path}: not a checkpoint of this model: {reason}") from error

    def save_progress(self, progress: Mapping[str, Any]) -> None:
        """Write what resuming needs: optimizer states, finished epochs, the best values so far."""
        # Into an open file: given a path, torch's own writer loses what the system says.
        path = self.path / "resume.pth"
        with replacing(path, self._check_writable) as temporary, temporary.open("wb") as file:
            torch.save(dict(progress), file)

    def progress(self) -> dict[str, Any] | None:
        """What `save_progress` wrote, or None; plain tensors and numbers, nothing is unpickled."""
        path = self.path / "resume.pth"
        if not path.exists():
            return None
        progress = read_torch_file(path, ANEW)
        if not is_whole(path):
            raise UserError(f"{path}: damaged; {ANEW}")
        if finding := progress_finding(progress):
            raise UserError(f"{path}: {finding}; {ANEW}")
        return progress

    def write_log(self, rows: list[dict[str, Any]]) -> None:
        """Write ``log.csv`` anew; an epoch repeated after an interruption has one line."""
        columns = list(dict.fromkeys(key for row in rows for key in row))
        cells = [[row.get(column, "") for column in columns] for row in rows]
        write_text(self.path / "log.csv", csv_text(columns, cells), self._check_writable)

    def _check_writable(self) -> None:
        if self.run.lock is not None:
            self.run.lock.check()
        if self.finished:
            raise UserError(
                f"{self.run.path}: this run is finished, nothing more is written to it; to train it "
                "again delete the folder"
            )

    def _progress_files(self) -> list[Path]:
        return [*self.path.glob("resume.pth"), *self.path.glob("fold*/resume.pth")]

    def _sha256(self, path: Path) -> str | None:
        """The hash that ``path`` was finished with; None while training, and where run.json has none."""
        known = self.run.facts().get("weights") if self.finished else None
        if known is None:
            return None
        name = path.relative_to(self.run.path).as_posix()
        if name not in known:
            raise UserError(f"{path}: not of this run (run.json does not name it)")
        return known[name]

    def _weights(self, selection: str) -> Path:
        if selection not in SELECTIONS:
            raise UserError(f"selection is {selection!r}: there are {', '.join(SELECTIONS)}")
        return self.path / f"{'last' if selection == 'last' else 'best_' + selection}.safetensors"
