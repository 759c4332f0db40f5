"""The folder of one training run: its recipe, its weights, its log, and what resuming needs.

recipe.yaml            what was run
run.json               identity, classes, cost; written when training has finished
log.csv                one line an epoch
last.safetensors       weights after the last finished epoch; best_val_cls, best_val_loc beside
resume.pth             the method, its optimizers and the epochs done; removed when training has finished
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from wsol.errors import UserError
from wsol.files.atomic import replacing, write_text
from wsol.files.csv_table import write_csv
from wsol.files.reading import read_json
from wsol.models.weights.torch_file import is_whole, read_torch_file
from wsol.recipe import Recipe
from wsol.scores.records import digest
from wsol.training.run_findings import facts_finding, progress_finding

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


class RunFolder:
    """Reading and writing one run; every file is written whole or not at all."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @property
    def finished(self) -> bool:
        """Whether training ran to its last epoch."""
        return (self.path / "run.json").exists()

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
        if finding := facts_finding(facts):
            raise UserError(f"{path}: {finding}{AGAIN}")
        return facts

    def write_facts(self, facts: Mapping[str, Any]) -> None:
        """Mark the run as finished."""
        write_text(self.path / "run.json", json.dumps(facts, indent=1, sort_keys=True) + "\n")

    def forget_progress(self) -> None:
        """Remove what `save_progress` wrote: a finished run is not resumed."""
        (self.path / "resume.pth").unlink(missing_ok=True)

    def save_weights(self, module: nn.Module, selection: str) -> None:
        """Write the weights scored under ``selection``."""
        # Copies: safetensors refuses tensors that share memory, and needs them dense.
        state = {
            name: value.detach().cpu().clone().contiguous()
            for name, value in module.state_dict().items()
        }
        with replacing(self._weights(selection)) as temporary:
            save_file(state, temporary)

    def load_weights(self, module: nn.Module, selection: str) -> None:
        """Load the weights scored under ``selection``; ``UserError`` when they are another model's."""
        path = self._weights(selection)
        if not path.is_file():
            raise UserError(f"{path}: no such checkpoint; train with training.selection {selection}")
        try:
            module.load_state_dict(load_file(path))
        except (RuntimeError, SafetensorError) as error:
            reason = " ".join(str(error).split())[:300]
            raise UserError(f"{path}: not a checkpoint of this model: {reason}") from error

    def save_progress(self, progress: Mapping[str, Any]) -> None:
        """Write what resuming needs: optimizer states, finished epochs, the best values so far."""
        # Into an open file: given a path, torch's own writer loses what the system says.
        with replacing(self.path / "resume.pth") as temporary, temporary.open("wb") as file:
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
        write_csv(self.path / "log.csv", columns, cells)

    def _weights(self, selection: str) -> Path:
        if selection not in SELECTIONS:
            raise UserError(f"selection is {selection!r}: there are {', '.join(SELECTIONS)}")
        return self.path / f"{'last' if selection == 'last' else 'best_' + selection}.safetensors"
