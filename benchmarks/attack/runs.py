"""Damaged run folders, finished and interrupted: the right figures, or a line and exit code 2."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.attack.child import Moment
from benchmarks.attack.command import command
from benchmarks.attack.comparison import contents, differences, left_in_temporary
from benchmarks.attack.findings import Tally
from benchmarks.attack.victim import flipped
from benchmarks.attack.workbench import Workbench, clear

# What happens to a file, given the file of the same name of another run.
FileDamage = Callable[[Path, Path], object]
FLIPS = (0.0, 0.013, 0.29, 0.5, 0.77, 0.999)  # places of the flipped bit, from header to end


def _flip(place: float) -> FileDamage:
    return lambda path, other: path.write_bytes(flipped(path.read_bytes(), place))


def _instead(make: Callable[[Path], object]) -> FileDamage:
    def damage(path: Path, other: Path) -> None:
        path.unlink()
        make(path)

    return damage


def _edit(**changes: Any) -> FileDamage:
    """Keys of a JSON file set, or taken out where they are to be ``...``."""

    def damage(path: Path, other: Path) -> None:
        content = {**json.loads(path.read_text()), **changes}
        path.write_text(json.dumps({k: v for k, v in content.items() if v is not ...}))

    return damage


def _turned(path: Path, other: Path) -> None:
    """The classes in another order: every label would be another's."""
    facts = json.loads(path.read_text())
    facts["class_keys"] = facts["class_keys"][::-1]
    path.write_text(json.dumps(facts))


def _replace(old: str, new: str) -> FileDamage:
    def damage(path: Path, other: Path) -> None:
        text = path.read_text()
        assert old in text, f"{old} is not in {path}"
        path.write_text(text.replace(old, new))

    return damage


ANY_FILE: dict[str, FileDamage] = {
    "missing": lambda path, other: path.unlink(),
    "empty": lambda path, other: path.write_bytes(b""),
    "truncated": lambda path, other: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "of another run": lambda path, other: shutil.copy(other, path),
    "text": lambda path, other: path.write_text("nothing of use"),
    "directory": _instead(Path.mkdir),
    "FIFO": _instead(os.mkfifo),
    "symlink to itself": _instead(lambda path: path.symlink_to(path.name)),
}
FLIPPED = {f"bit flipped at {place:.1%}": _flip(place) for place in FLIPS}
RUN_JSON: dict[str, FileDamage] = {
    "a list": lambda path, other: path.write_text("[]"),
    "nested 100000 deep": lambda path, other: path.write_text("[" * 100_000 + "]" * 100_000),
    "classes turned round": _turned,
    "classes a number": _edit(class_keys=3),
    "manifest hash edited": _edit(manifest_hash="0" * 64),
    "training id edited": _edit(training_id="0" * 16),
    "cost as text": _edit(cost="high"),
    "cost missing": _edit(cost=...),
    "weights a list": _edit(weights=[]),
    "weights' hash edited": _edit(weights={"last.safetensors": "0" * 64}),
}
RECIPE: dict[str, FileDamage] = {
    "network edited": _replace("small_resnet", "resnet18"),
    "attention edited": _replace("name: none", "name: simam"),
    "epochs edited": _replace("epochs: 3", "epochs: 4"),
    "not YAML": lambda path, other: path.write_text("{[}"),
    "nested 100000 deep": lambda path, other: path.write_text("[" * 100_000),
}
FINISHED = {
    "run.json": ANY_FILE | RUN_JSON,
    "recipe.yaml": ANY_FILE | RECIPE,
    "last.safetensors": ANY_FILE | FLIPPED,
    "log.csv": {name: ANY_FILE[name] for name in ("missing", "text", "directory", "FIFO")},
}
INTERRUPTED = {
    "resume.pth": ANY_FILE | FLIPPED,
    "recipe.yaml": ANY_FILE | RECIPE,
    "last.safetensors": ANY_FILE,
    "log.csv": {name: ANY_FILE[name] for name in ("missing", "text", "directory", "FIFO")},
}
STATES = {"finished": FINISHED, "interrupted": INTERRUPTED}
TRAIN = ["train", "--config", "cam.yaml"]
BENCHMARK = ["benchmark", "--config", "cam.yaml", "--overlays", "0"]


class RunFolders:
    """The two states of one run, the figures that it gives, and the folder of another run."""

    def __init__(self, bench: Workbench) -> None:
        self.bench, self.run = bench, bench.run_of("cam.yaml")
        evaluate = ["evaluate", "--run", self.run, "--output", "scores"]
        localize = ["localize", "images", "--run", self.run, "--output", "found"]
        # The command, and where its figures lie.
        self.commands = {
            "evaluate": (evaluate, "scores"),
            "localize": (localize, "found"),
            "train": (TRAIN, self.run),
            "benchmark": (BENCHMARK, "results"),
        }
        # Killed when its second epoch is about to be recorded.
        self.half = {}
        for recipe in ("cam.yaml", "simam.yaml"):
            place = bench.case(f"half {recipe}", [recipe])
            moment = Moment(signal.SIGKILL, 2, "os.rename", "resume.pth")
            command(["train", "--config", recipe], place, moment)
            self.half[recipe] = place / "work"
        self.right = {name: self._figures(name) for name in self.commands}

    def _figures(self, name: str) -> dict[str, str]:
        place = self.place("right", "finished")
        argv, made = self.commands[name]
        self.bench.done(argv, place)
        return contents(place / "work" / made)

    def place(self, name: str, state: str) -> Path:
        """A place with the run in one of its states."""
        place = self.bench.case(name, ["cam.yaml"], ["manifest", "images"])
        source = self.bench.good if state == "finished" else self.half["cam.yaml"]
        shutil.copytree(source / self.run, place / "work" / self.run)
        return place

    def other(self, state: str) -> Path:
        """The folder of another run in the same state."""
        source = self.bench.good if state == "finished" else self.half["simam.yaml"]
        return source / self.bench.run_of("simam.yaml")


def runs(bench: Workbench, tally: Tally) -> None:
    """Every damage, met by each command that reads or continues the run."""
    cases = [case for case in _cases() if tally.wanted in " ".join(case)]
    folders = RunFolders(bench) if cases else None
    for state, file, damage, name in cases:
        tally.takes(" ".join((state, file, damage, name)))
        assert folders is not None
        place = folders.place(tally.cases[-1], state)
        path = place / "work" / folders.run / file
        STATES[state][file][damage](path, folders.other(state) / file)
        _meet(folders, tally, place, state, name)
        if tally.clean:
            clear(place)


def _cases() -> Iterator[tuple[str, str, str, str]]:
    for state, files in STATES.items():
        for file, damages in files.items():
            for damage in damages:
                names = ["train", "benchmark"]
                if state == "finished":
                    names.append("evaluate")
                    if file in ("run.json", "last.safetensors"):
                        names.append("localize")
                yield from ((state, file, damage, name) for name in names)


def _meet(folders: RunFolders, tally: Tally, place: Path, state: str, name: str) -> None:
    """Run the command, and compare what it made with what the undamaged run gives."""
    work, (argv, made) = place / "work", folders.commands[name]
    known = {*contents(work), *(f"{made}/{file}" for file in folders.right[name])}
    outcome = command(argv, place)
    if not tally.judge(outcome):
        return
    if outcome.code == 2:  # what it did before it met the damage is whole: epochs, rows of baselines
        left = [file for file in contents(work) if file not in known and "/." in f"/{file}"]
        if left := [*left, *left_in_temporary(place)]:
            tally.found("leftovers", f"refused with exit code 2, and yet left: {', '.join(left[:4])}")
        return
    found, right = contents(work / made), folders.right[name]
    if name == "train" and state == "finished":  # the weights; a run continued is the same in every file
        right = {"last.safetensors": right["last.safetensors"]}
        found = {file: content for file, content in found.items() if file in right}
    wrong, extra = differences(right, found)
    if wrong:
        tally.found("wrong figures", f"wsol {name}: exit code 0, but {', '.join(wrong[:4])} differ")
    if extra:
        tally.found("leftovers", f"wsol {name}: {', '.join(extra[:4])}")
